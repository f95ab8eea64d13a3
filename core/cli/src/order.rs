//! `rtcd -s`: signals the server of the pid file.

use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::args::Order;
use crate::error::Error;
use crate::pidfile::Running;
use crate::{Program, settings};

/// The server cannot be signalled, or does not do it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OrderError {
    #[error("rtcd (pid {pid}) belongs to another user: it cannot be signalled by this one")]
    NotOurs { pid: Pid },
    #[error("cannot signal rtcd (pid {pid})")]
    Signal { pid: Pid, source: io::Error },
    #[error("cannot see whether rtcd (pid {pid}) has ended")]
    Watch { pid: Pid, source: io::Error },
    #[error("rtcd (pid {pid}) has not ended in {}", humantime::format_duration(*patience))]
    Stays { pid: Pid, patience: Duration },
}

/// What a stop may take beyond the time that calls have to end.
const MARGIN: Duration = Duration::from_secs(5);

/// Sends the signal; one that stops the server is waited for.
pub(crate) fn send(program: Program, folder: &Path, order: Order) -> Result<(), Error> {
    let server = settings::server(program, folder)?;
    let running = Running::find(&server.pid_path())?;
    let pid = running.pid;
    let (signal, patience) = match order {
        Order::Quit => (Signal::QUIT, Some(server.stop_timeout + MARGIN)),
        Order::Stop => (Signal::TERM, Some(MARGIN)),
        Order::Reopen => (Signal::USR1, None),
        Order::Reload => (Signal::HUP, None),
    };
    kill_process(pid, signal).map_err(|error| match error {
        rustix::io::Errno::PERM => OrderError::NotOurs { pid },
        error => OrderError::Signal { pid, source: error.into() },
    })?;
    match order {
        Order::Reopen => println!("rtcd (pid {pid}) opens its log files anew"),
        Order::Reload => {
            println!("rtcd (pid {pid}) reads its settings anew; `rtcd runtime config` shows what came of it");
        }
        Order::Quit | Order::Stop => {}
    }
    let Some(patience) = patience else { return Ok(()) };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(Error::Runtime)?;
    match runtime.block_on(async { timeout(patience, ended(&running)).await }) {
        Ok(Ok(())) => println!("rtcd (pid {pid}) has ended"),
        Ok(Err(source)) => return Err(OrderError::Watch { pid, source }.into()),
        Err(_) => return Err(OrderError::Stays { pid, patience }.into()),
    }
    Ok(())
}

async fn ended(running: &Running) -> io::Result<()> {
    /// How often the lock is looked at.
    const LOOK: Duration = Duration::from_millis(20);
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while running.is_alive()? {
        looks.tick().await;
    }
    Ok(())
}
