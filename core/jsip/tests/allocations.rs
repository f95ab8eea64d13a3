//! What each unit of work allocates once all lists have the size that they keep. Fewer is a gain to be accepted with the
//! change that makes it; more needs a reason. A `realloc` counts as an allocation.

use std::fmt::Write as _;

use allocation_counter::measure;
use rtcd_testkit::units::UNITS;

#[test]
fn allocations_of_each_unit() {
    let mut table = String::from("unit | allocations | bytes\n");
    for unit in UNITS {
        let mut work = unit.prepare();
        let total = measure(&mut work);
        let each = |total: u64| {
            let hundredths = (total * 100).div_ceil(unit.times);
            format!("{}.{:02}", hundredths / 100, hundredths % 100)
        };
        let _ = writeln!(table, "{} | {} | {}", unit.name, each(total.count_total), each(total.bytes_total));
    }
    insta::assert_snapshot!(table);
}
