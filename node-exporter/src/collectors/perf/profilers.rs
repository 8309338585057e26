//! The events that can be counted, and their families.

use exporter_core::desc::{Desc, Describe, DynDesc};

use crate::system::perf::Event;

/// An event, by the name that flags use.
pub(super) struct Profiler {
    pub(super) name: &'static str,
    pub(super) event: Event,
    pub(super) desc: Desc<'static, 1>,
}

/// Profilers of one kind.
pub(super) struct Profilers(pub(super) &'static [Profiler]);

impl Describe for Profilers {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        for profiler in self.0 {
            profiler.desc.describe(visit);
        }
    }
}

pub(super) const CPU: [&str; 1] = ["cpu"];

// PERF_TYPE_*
const HARDWARE_EVENT: u32 = 0;
const SOFTWARE_EVENT: u32 = 1;
pub(super) const TRACEPOINT_EVENT: u32 = 2;
const CACHE_EVENT: u32 = 3;

// PERF_COUNT_HW_CACHE_*
const L1D: u64 = 0;
const L1I: u64 = 1;
const LL: u64 = 2;
const DTLB: u64 = 3;
const ITLB: u64 = 4;
const BPU: u64 = 5;
const READ: u64 = 0;
const WRITE: u64 = 1;
const ACCESS: u64 = 0;
const MISS: u64 = 1;

const fn cache(cache: u64, operation: u64, result: u64) -> u64 {
    cache | operation << 8 | result << 16
}

#[rustfmt::skip] // a line each
pub(super) static HARDWARE: Profilers = Profilers(&[
    Profiler { name: "CpuCycles", event: Event { kind: HARDWARE_EVENT, config: 0 }, desc: Desc::counter("node_perf_cpucycles_total", "CPU cycles, slower ones when the CPU is.", CPU) },
    Profiler { name: "CpuInstr", event: Event { kind: HARDWARE_EVENT, config: 1 }, desc: Desc::counter("node_perf_instructions_total", "Instructions executed.", CPU) },
    Profiler { name: "BranchInstr", event: Event { kind: HARDWARE_EVENT, config: 4 }, desc: Desc::counter("node_perf_branch_instructions_total", "Branches executed.", CPU) },
    Profiler { name: "BranchMisses", event: Event { kind: HARDWARE_EVENT, config: 5 }, desc: Desc::counter("node_perf_branch_misses_total", "Branches predicted wrongly.", CPU) },
    Profiler { name: "CacheRef", event: Event { kind: HARDWARE_EVENT, config: 2 }, desc: Desc::counter("node_perf_cache_refs_total", "References to the cache.", CPU) },
    Profiler { name: "CacheMisses", event: Event { kind: HARDWARE_EVENT, config: 3 }, desc: Desc::counter("node_perf_cache_misses_total", "References that the cache could not serve.", CPU) },
    Profiler { name: "RefCpuCycles", event: Event { kind: HARDWARE_EVENT, config: 9 }, desc: Desc::counter("node_perf_ref_cpucycles_total", "CPU cycles at a fixed frequency.", CPU) },
    Profiler { name: "StalledCyclesBackend", event: Event { kind: HARDWARE_EVENT, config: 8 }, desc: Desc::counter("node_perf_stalled_cycles_backend_total", "Cycles in which instructions waited for the back end.", CPU) },
    Profiler { name: "StalledCyclesFrontend", event: Event { kind: HARDWARE_EVENT, config: 7 }, desc: Desc::counter("node_perf_stalled_cycles_frontend_total", "Cycles in which there was no instruction to execute.", CPU) },
]);

#[rustfmt::skip] // a line each
pub(super) static SOFTWARE: Profilers = Profilers(&[
    Profiler { name: "PageFault", event: Event { kind: SOFTWARE_EVENT, config: 2 }, desc: Desc::counter("node_perf_page_faults_total", "Page faults.", CPU) },
    Profiler { name: "ContextSwitch", event: Event { kind: SOFTWARE_EVENT, config: 3 }, desc: Desc::counter("node_perf_context_switches_total", "Context switches.", CPU) },
    Profiler { name: "CpuMigration", event: Event { kind: SOFTWARE_EVENT, config: 4 }, desc: Desc::counter("node_perf_cpu_migrations_total", "Processes moved to another CPU.", CPU) },
    Profiler { name: "MinorFault", event: Event { kind: SOFTWARE_EVENT, config: 5 }, desc: Desc::counter("node_perf_minor_faults_total", "Page faults served from memory.", CPU) },
    Profiler { name: "MajorFault", event: Event { kind: SOFTWARE_EVENT, config: 6 }, desc: Desc::counter("node_perf_major_faults_total", "Page faults served from a disk.", CPU) },
]);

#[rustfmt::skip] // a line each
pub(super) static CACHE: Profilers = Profilers(&[
    Profiler { name: "L1DataReadHit", event: Event { kind: CACHE_EVENT, config: cache(L1D, READ, ACCESS) }, desc: Desc::counter("node_perf_cache_l1d_read_hits_total", "Reads from the L1 data cache.", CPU) },
    Profiler { name: "L1DataReadMiss", event: Event { kind: CACHE_EVENT, config: cache(L1D, READ, MISS) }, desc: Desc::counter("node_perf_cache_l1d_read_misses_total", "Reads that the L1 data cache could not serve.", CPU) },
    Profiler { name: "L1DataWriteHit", event: Event { kind: CACHE_EVENT, config: cache(L1D, WRITE, ACCESS) }, desc: Desc::counter("node_perf_cache_l1d_write_hits_total", "Writes to the L1 data cache.", CPU) },
    Profiler { name: "L1InstrReadMiss", event: Event { kind: CACHE_EVENT, config: cache(L1I, READ, MISS) }, desc: Desc::counter("node_perf_cache_l1_instr_read_misses_total", "Instructions that the L1 cache did not have.", CPU) },
    Profiler { name: "InstrTLBReadHit", event: Event { kind: CACHE_EVENT, config: cache(ITLB, READ, ACCESS) }, desc: Desc::counter("node_perf_cache_tlb_instr_read_hits_total", "Look-ups in the TLB of instructions.", CPU) },
    Profiler { name: "InstrTLBReadMiss", event: Event { kind: CACHE_EVENT, config: cache(ITLB, READ, MISS) }, desc: Desc::counter("node_perf_cache_tlb_instr_read_misses_total", "Addresses that the TLB of instructions did not have.", CPU) },
    Profiler { name: "DataTLBReadHit", event: Event { kind: CACHE_EVENT, config: cache(DTLB, READ, ACCESS) }, desc: Desc::counter("node_perf_cache_tlb_data_read_hits_total", "Look-ups for reading in the TLB of data.", CPU) },
    Profiler { name: "DataTLBReadMiss", event: Event { kind: CACHE_EVENT, config: cache(DTLB, READ, MISS) }, desc: Desc::counter("node_perf_cache_tlb_data_read_misses_total", "Addresses to read that the TLB of data did not have.", CPU) },
    Profiler { name: "DataTLBWriteHit", event: Event { kind: CACHE_EVENT, config: cache(DTLB, WRITE, ACCESS) }, desc: Desc::counter("node_perf_cache_tlb_data_write_hits_total", "Look-ups for writing in the TLB of data.", CPU) },
    Profiler { name: "DataTLBWriteMiss", event: Event { kind: CACHE_EVENT, config: cache(DTLB, WRITE, MISS) }, desc: Desc::counter("node_perf_cache_tlb_data_write_misses_total", "Addresses to write that the TLB of data did not have.", CPU) },
    Profiler { name: "LLReadHit", event: Event { kind: CACHE_EVENT, config: cache(LL, READ, ACCESS) }, desc: Desc::counter("node_perf_cache_ll_read_hits_total", "Reads from the last level cache.", CPU) },
    Profiler { name: "LLReadMiss", event: Event { kind: CACHE_EVENT, config: cache(LL, READ, MISS) }, desc: Desc::counter("node_perf_cache_ll_read_misses_total", "Reads that the last level cache could not serve.", CPU) },
    Profiler { name: "LLWriteHit", event: Event { kind: CACHE_EVENT, config: cache(LL, WRITE, ACCESS) }, desc: Desc::counter("node_perf_cache_ll_write_hits_total", "Writes to the last level cache.", CPU) },
    Profiler { name: "LLWriteMiss", event: Event { kind: CACHE_EVENT, config: cache(LL, WRITE, MISS) }, desc: Desc::counter("node_perf_cache_ll_write_misses_total", "Writes that the last level cache could not serve.", CPU) },
    Profiler { name: "BPUReadHit", event: Event { kind: CACHE_EVENT, config: cache(BPU, READ, ACCESS) }, desc: Desc::counter("node_perf_cache_bpu_read_hits_total", "Branches looked up by the branch predictor.", CPU) },
    Profiler { name: "BPUReadMiss", event: Event { kind: CACHE_EVENT, config: cache(BPU, READ, MISS) }, desc: Desc::counter("node_perf_cache_bpu_read_misses_total", "Branches unknown to the branch predictor.", CPU) },
]);
