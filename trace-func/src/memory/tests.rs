use super::*;

/// A system with so many MiB free.
#[derive(Debug)]
struct Fixed(u64);

impl Room for Fixed {
    fn free(&self) -> Free {
        Free { bytes: self.0 * MIB, bound: Bound::CgroupLimit }
    }
}

#[test]
fn what_is_held_is_what_was_asked_for_and_resident() {
    let held = Memory::new(Fixed(1024)).hold(20, || false).unwrap();
    assert_eq!(held.resident_bytes(), 20 * MIB);
}

#[test]
fn nothing_can_be_held_even_where_there_is_no_room() {
    let held = Memory::new(Fixed(0)).hold(0, || false).unwrap();
    assert_eq!(held.resident_bytes(), 0);
}

#[test]
fn too_much_is_refused_with_the_bound_and_the_memory_stays_usable() {
    let memory = Memory::new(Fixed(64));
    let error = memory.hold(u32::MAX, || false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "4294967295 MiB asked for, but only 60 MiB can be had: the bound is the memory limit of the control group"
    );
    assert!(memory.hold(8, || false).is_ok());
}

#[test]
fn abandoned_invocations_hold_no_more_than_they_had() {
    let held = Memory::new(Fixed(1024)).hold(100, || true).unwrap();
    assert!(held.resident_bytes() < 100 * MIB);
}

#[test]
fn dropped_memory_can_be_held_again() {
    // Fixed room does not shrink with what is touched: two holds only fit one after the other.
    let memory = Memory::new(Fixed(40));
    for _ in 0..3 {
        drop(memory.hold(30, || false).unwrap());
    }
}
