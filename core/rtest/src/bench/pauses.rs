//! What the machine takes away: how long threads that only read the clock do not run.

use std::time::Duration;

use tokio::time::Instant;

use super::BenchError;

/// A pause that makes a latency of "at most 1 ms" impossible for what is due in it.
const PAUSE: Duration = Duration::from_millis(1);

/// How long they count.
pub(super) const TIME: Duration = Duration::from_secs(2);

/// The part of `time` in percent which threads, one for each processor, spent in pauses, each longer than [`PAUSE`], added up: what
/// goes through the server and the load maker waits for a pause of either. Such threads leave no processor for anything else, as
/// a busy server and its clients do: whatever else runs on the machine, or beneath it, shows.
pub(super) async fn withheld(time: Duration) -> Result<f64, BenchError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let all: Vec<_> = (0..threads).map(|_| tokio::task::spawn_blocking(move || pauses_in(time))).collect();
    let mut sum = Duration::ZERO;
    for one in all {
        sum += one.await.map_err(|error| BenchError::io("count")(std::io::Error::other(error)))?;
    }
    Ok(100.0 * sum.as_secs_f64() / time.as_secs_f64())
}

fn pauses_in(time: Duration) -> Duration {
    let begin = Instant::now();
    let (mut last, mut sum) = (begin, Duration::ZERO);
    while last - begin < time {
        let now = Instant::now();
        if now - last > PAUSE {
            sum += now - last;
        }
        last = now;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_part_of_the_time() {
        let withheld = withheld(Duration::from_millis(20)).await.unwrap();
        // Each thread may be away for all of it, and a little longer.
        assert!(withheld.is_finite() && withheld >= 0.0, "{withheld}");
    }
}
