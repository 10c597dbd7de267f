use std::{
    cell::Cell,
    sync::atomic::{AtomicBool, Ordering},
};

use super::*;

/// A system with that many MiB free.
#[derive(Debug)]
struct Fixed(u64);

impl Limits for Fixed {
    fn free(&self) -> Free {
        Free { bytes: self.0 * MIB, bound: Bound::CgroupLimit }
    }
}

/// A system with 100 MiB free, which reports 10 MiB once after its flag is set.
#[derive(Debug, Clone, Default)]
struct Short(Arc<AtomicBool>);

impl Limits for Short {
    fn free(&self) -> Free {
        let free = if self.0.swap(false, Ordering::Relaxed) { 10 } else { 100 };
        Fixed(free).free()
    }
}

fn kept(memory: &Memory) -> Vec<u64> {
    let mut sizes = Vec::new();
    let pool = memory.pool.as_ref().unwrap();
    while let Some(heap) = pool.take(0) {
        sizes.push(heap.mib());
    }
    sizes
}

#[test]
fn what_is_held_is_what_was_asked_for_and_resident() {
    let before = resident_bytes().unwrap();
    let held = Memory::new(Fixed(1024)).hold(300, || false).unwrap();
    assert_eq!(held.touched_mib(), 300);
    // Other tests take and give back a few MiB meanwhile.
    assert!(resident_bytes().unwrap() > before + 150 * MIB);
}

#[test]
fn a_request_for_no_memory_succeeds_where_none_is_free() {
    let held = Memory::new(Fixed(0)).hold(0, || false).unwrap();
    assert_eq!(held.touched_mib(), 0);
}

#[test]
fn too_much_is_refused_with_the_limit_and_the_memory_stays_usable() {
    let memory = Memory::new(Fixed(64)).at_most(Some(100));
    drop(memory.hold(8, || false).unwrap());
    let error = memory.hold(99, || false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "99 MiB requested, but only 68 MiB available, limited by the memory limit of the control group"
    );
    assert_eq!(
        memory.hold(101, || false).unwrap_err().to_string(),
        "101 MiB requested, but this function's limit is 100 MiB (--max-memory)"
    );
    assert_eq!(memory.hold(9, || false).unwrap().touched_mib(), 9);
}

#[test]
fn cancelled_invocations_allocate_no_further_memory() {
    let memory = Memory::new(Fixed(1024));
    let asked = Cell::new(0);
    let held = memory.hold(100, || asked.replace(asked.get() + 1) > 10).unwrap();
    assert_eq!(held.touched_mib(), 11);
    drop(held);
    assert_eq!(kept(&memory), [11]);
    // The rest is no longer reserved.
    assert!(memory.hold(1000, || true).is_ok());
}

#[test]
fn memory_is_kept_as_a_warm_runtime_keeps_its_heap() {
    let memory = Memory::new(Fixed(1024));
    for (asked, expected) in [(8, 8), (4, 8), (16, 16), (7, 7), (0, 0), (3, 3)] {
        drop(memory.hold(asked, || false).unwrap());
        let sizes: Vec<_> = memory.pool.as_ref().unwrap().take(0).into_iter().collect();
        assert_eq!(sizes.iter().map(Heap::mib).collect::<Vec<_>>(), [expected], "after {asked}");
        sizes.into_iter().for_each(|heap| memory.pool.as_ref().unwrap().put(heap));
    }
}

#[test]
fn invocations_at_once_have_a_heap_each_and_take_the_one_that_fits() {
    let memory = Memory::new(Fixed(1024));
    let (large, small) = (memory.hold(20, || false).unwrap(), memory.hold(5, || false).unwrap());
    drop((large, small));
    let held = memory.hold(4, || false).unwrap();
    assert_eq!(held.touched_mib(), 5);
    assert_eq!(kept(&memory), [20]);
}

#[test]
fn idle_heaps_are_freed_before_an_invocation_is_refused() {
    let limits = Short::default();
    let memory = Memory::new(limits.clone());
    let (first, second) = (memory.hold(30, || false).unwrap(), memory.hold(35, || false).unwrap());
    drop((first, second));
    limits.0.store(true, Ordering::Relaxed);
    let held = memory.hold(60, || false).unwrap();
    assert_eq!(held.touched_mib(), 60);
    assert_eq!(kept(&memory), Vec::<u64>::new());
}

#[test]
fn fresh_memory_is_not_kept() {
    let memory = Memory::new(Fixed(40)).fresh();
    for _ in 0..3 {
        drop(memory.hold(30, || false).unwrap());
    }
    assert!(memory.hold(37, || false).is_err());
}

#[test]
fn memory_that_is_mapped_and_not_touched_is_not_resident() {
    let memory = Memory::new(Fixed(1));
    assert_eq!(memory.map_untouched(4096).unwrap().touched_mib(), 0);
}
