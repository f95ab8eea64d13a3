//! What each unit of work allocates once all lists have the size that they keep. Fewer is a gain to be accepted with the
//! change that makes it; more needs a reason. A `realloc` counts as an allocation.

use std::fmt::Write as _;

use allocation_counter::measure;
use rtcd_testkit::units::UNITS;

#[test]
fn allocations_of_each_unit() {
    let mut table = String::new();
    for unit in UNITS {
        let mut work = unit.prepare();
        let total = measure(&mut work);
        let each = |total: u64| {
            let hundredths = (total * 100).div_ceil(unit.times);
            format!("{}.{:02}", hundredths / 100, hundredths % 100)
        };
        let (count, bytes) = (each(total.count_total), each(total.bytes_total));
        let _ = writeln!(table, "| {} | {} | {count} | {bytes} |", unit.name, unit.instructions);
    }
    insta::assert_snapshot!(table);
    let page = include_str!("../../rtest/docs/profile.md");
    assert!(page.contains(&table), "core/rtest/docs/profile.md has another table than this:\n{table}");
}
