# make                    builds the program
# make test               all tests
# make bench              compares it with the reference server, and writes core/rtest/docs/performance.md; takes half an hour
# make install            program, settings, systemd unit, logrotate file; as root for the default PREFIX
# make uninstall          takes program, unit and logrotate file away; settings, state and logs stay
#
# PREFIX=/usr/local       where all goes; with /usr, settings go to /etc and data to /var
# DESTDIR=                put before all paths, for packages
# RTCD=FILE               a program that is built already
# BENCH=OPTIONS           of rtest bench, such as --quick; without --write it only prints

PREFIX ?= /usr/local
ifeq ($(PREFIX),/usr)
SYSCONFDIR ?= /etc
LOCALSTATEDIR ?= /var
else
SYSCONFDIR ?= $(PREFIX)/etc
LOCALSTATEDIR ?= $(PREFIX)/var
endif
BINDIR ?= $(PREFIX)/bin
CONFDIR ?= $(SYSCONFDIR)/rtcd
STATEDIR ?= $(LOCALSTATEDIR)/lib/rtcd
LOGDIR ?= $(LOCALSTATEDIR)/log/rtcd
UNITDIR ?= $(PREFIX)/lib/systemd/system
LOGROTATEDIR ?= $(SYSCONFDIR)/logrotate.d

# Whom the unit runs the program as.
USER_NAME = rtcd

.PHONY: all test bench install uninstall

all:
	cargo build --release -p rtcd

test:
	cargo test

BENCH ?= --write
bench:
	cargo build --release -p rtcd -p rtest
	target/release/rtest bench $(BENCH)

ifndef RTCD
RTCD = target/release/rtcd
install: $(RTCD)
# Only if it is not there: who installs as root may have no cargo.
$(RTCD):
	$(MAKE) all
endif

# The files of this repository name the default paths.
PATHS = sed \
	-e 's|/usr/local/bin|$(BINDIR)|g' \
	-e 's|/usr/local/etc/rtcd|$(CONFDIR)|g' \
	-e 's|/usr/local/var/lib/rtcd|$(STATEDIR)|g' \
	-e 's|/usr/local/var/log/rtcd|$(LOGDIR)|g'

# Installed, data does not lie in the working directory.
SETTINGS = sed \
	-e 's|^  state_dir: state  |  state_dir: $(STATEDIR)  |' \
	-e 's|^  file: ""  |  file: $(LOGDIR)/rtcd.log  |'

install:
	install -d '$(DESTDIR)$(BINDIR)' '$(DESTDIR)$(CONFDIR)/conf' '$(DESTDIR)$(UNITDIR)' '$(DESTDIR)$(LOGROTATEDIR)'
	install -d -m 750 '$(DESTDIR)$(CONFDIR)/certs' '$(DESTDIR)$(STATEDIR)' '$(DESTDIR)$(LOGDIR)'
	install -m 755 '$(RTCD)' '$(DESTDIR)$(BINDIR)/rtcd'
	$(PATHS) conf/rtcd.service > '$(DESTDIR)$(UNITDIR)/rtcd.service'
	$(PATHS) conf/rtcd.logrotate > '$(DESTDIR)$(LOGROTATEDIR)/rtcd'
	chmod 644 '$(DESTDIR)$(UNITDIR)/rtcd.service' '$(DESTDIR)$(LOGROTATEDIR)/rtcd'
	@for file in routes.yaml conf/*.yaml; do \
		to='$(DESTDIR)$(CONFDIR)'/$$file; \
		if [ -e "$$to" ]; then \
			echo "kept: $$to"; \
		else \
			$(SETTINGS) $$file > "$$to" && chmod 640 "$$to" || exit 1; \
		fi; \
	done
	@if [ -z '$(DESTDIR)' ] && [ "$$(id -u)" = 0 ] && id $(USER_NAME) > /dev/null 2>&1; then \
		chown -R $(USER_NAME): '$(STATEDIR)' '$(LOGDIR)' && \
		chgrp -R "$$(id -gn $(USER_NAME))" '$(CONFDIR)'; \
	else \
		echo 'For the systemd unit: make the user $(USER_NAME) (useradd --system --no-create-home $(USER_NAME)), who must'; \
		echo 'own $(STATEDIR) and $(LOGDIR) and be able to read $(CONFDIR).'; \
	fi

uninstall:
	rm -f '$(DESTDIR)$(BINDIR)/rtcd' '$(DESTDIR)$(UNITDIR)/rtcd.service' '$(DESTDIR)$(LOGROTATEDIR)/rtcd'
	@echo 'Left: $(DESTDIR)$(CONFDIR) $(DESTDIR)$(STATEDIR) $(DESTDIR)$(LOGDIR)'
