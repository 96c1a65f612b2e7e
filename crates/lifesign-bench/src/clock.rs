//! Processor time and memory, of the calling thread and of other processes.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, anyhow};
use rustix::time::{ClockId, clock_gettime};

/// Processor time that the calling thread has used.
pub fn thread() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// What `work` returns, and the processor time that it took on this thread.
#[cfg(feature = "floor")]
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = thread();
    let done = work();
    (done, thread() - started)
}

/// Processor time of a process and its children, by the scheduler's own count in nanoseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessTime {
    /// Of all threads that still run.
    pub all: Duration,
    /// Of the threads that assess photographs, which only our service has.
    pub assessing: Duration,
}

impl ProcessTime {
    /// Used so far by `pid`, and by the processes it started.
    pub fn of(pid: u32) -> anyhow::Result<ProcessTime> {
        let mut total = ProcessTime::default();
        for pid in family(pid)? {
            let threads = Path::new("/proc").join(pid.to_string()).join("task");
            for thread in fs::read_dir(&threads).context("the process is gone")? {
                let thread = thread?.path();
                // A thread may end meanwhile.
                let Ok(used) = fs::read_to_string(thread.join("schedstat")) else {
                    continue;
                };
                let nanoseconds = used.split(' ').next().and_then(|used| used.parse().ok());
                let used = Duration::from_nanos(
                    nanoseconds.ok_or_else(|| anyhow!("the kernel does not count: schedstat"))?,
                );
                total.all += used;
                let name = fs::read_to_string(thread.join("comm")).unwrap_or_default();
                if name.starts_with("assess-") {
                    total.assessing += used;
                }
            }
        }
        Ok(total)
    }

    /// Used since `earlier`.
    pub fn since(self, earlier: ProcessTime) -> ProcessTime {
        ProcessTime {
            all: self.all.saturating_sub(earlier.all),
            assessing: self.assessing.saturating_sub(earlier.assessing),
        }
    }
}

/// Most memory that `pid` and the processes it started ever had resident, each, in MiB, summed up.
pub fn peak_memory(pid: u32) -> anyhow::Result<f64> {
    let mut kilobytes = 0.0;
    for pid in family(pid)? {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
        let peak: f64 = peak.context("no VmHWM")?.trim().parse()?;
        kilobytes += peak;
    }
    Ok(kilobytes / 1024.0)
}

/// `pid`, and all processes that it and they started.
fn family(pid: u32) -> anyhow::Result<Vec<u32>> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path();
        let stat = fs::read_to_string(path.join("stat")).unwrap_or_default();
        // The name between brackets may hold anything; after it come the state and the parent.
        let parent = stat
            .rsplit_once(") ")
            .and_then(|(_, rest)| rest.split(' ').nth(1));
        let own = stat.split(' ').next();
        if let (Some(own), Some(parent)) = (own, parent) {
            parents.push((own.parse::<u32>()?, parent.parse::<u32>()?));
        }
    }
    let mut members = vec![pid];
    let mut next = 0;
    while let Some(&member) = members.get(next) {
        members.extend(
            parents
                .iter()
                .filter(|(_, parent)| *parent == member)
                .map(|(own, _)| own),
        );
        next += 1;
    }
    Ok(members)
}
