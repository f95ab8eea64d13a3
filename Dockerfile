# An image of rtcd: docker build -t rtcd . && docker run -p 8080:8080 rtcd
#
# Settings are changed by variables (RTCD_RTC_LISTEN is rtc.listen) or by files mounted over /etc/rtcd; what is switched at run
# time is kept in the volume /var/lib/rtcd. The API port is on the container's own loopback; to reach it from outside, give
# RTCD_API_LISTEN=0.0.0.0:2539 and RTCD_API_TOKEN. Give `docker stop` more time than server.stop_timeout.

FROM rust:1.95-slim-trixie AS build
RUN apt-get update && apt-get install --yes --no-install-recommends make && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN make install PREFIX=/usr DESTDIR=/out

FROM debian:trixie-slim
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin rtcd
COPY --from=build /out/usr/bin/rtcd /usr/bin/rtcd
COPY --from=build --chown=root:rtcd /out/etc/rtcd /etc/rtcd
COPY --from=build --chown=rtcd:rtcd /out/var/lib/rtcd /var/lib/rtcd
USER rtcd
WORKDIR /etc/rtcd
# Logs go to standard error, where Docker takes them.
ENV RTCD_LOG_FILE=""
EXPOSE 8080
VOLUME /var/lib/rtcd
STOPSIGNAL SIGINT
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s CMD ["rtcd", "health", "-c", "/etc/rtcd"]
ENTRYPOINT ["rtcd", "-c", "/etc/rtcd"]
