//! The page that the tables are written into.

use std::path::Path;

use super::BenchError;

const BEGIN: &str = "<!-- bench: begin -->";
const END: &str = "<!-- bench: end -->";

/// Puts `tables` between the two markers of the page; the prose around them stays.
pub(super) fn write(page: &Path, tables: &str) -> Result<(), BenchError> {
    let old = std::fs::read_to_string(page).map_err(BenchError::io(format!("read {}", page.display())))?;
    let new = replaced(&old, tables).ok_or_else(|| BenchError::Markers(page.to_owned()))?;
    std::fs::write(page, new).map_err(BenchError::io(format!("write {}", page.display())))
}

fn replaced(page: &str, tables: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", tables.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_markers_changes() {
        let page = "# Title\n\n<!-- bench: begin -->\nold\n<!-- bench: end -->\n\nprose\n";
        let new = replaced(page, "\nnew\n").unwrap();
        assert_eq!(new, "# Title\n\n<!-- bench: begin -->\n\nnew\n\n<!-- bench: end -->\n\nprose\n");
        assert_eq!(replaced(&new, "new"), Some(new.clone()), "written twice it is the same");
        for without in ["", "<!-- bench: begin -->", "<!-- bench: end --> <!-- bench: begin -->"] {
            assert_eq!(replaced(without, "new"), None, "{without}");
        }
    }
}
