//! Aligned columns, as Go's tabwriter lays them out for Docker: a column is
//! at least ten wide and three wider than its widest cell; the last is not
//! padded.

const NARROWEST: usize = 10;
const GAP: usize = 3;

/// Lines whose cells are parted by tabs, aligned. A column reaches over the
/// lines next to each other that have a cell behind it.
pub(crate) fn aligned(lines: &[String]) -> String {
    let rows: Vec<Vec<&str>> = lines
        .iter()
        .map(|line| line.split('\t').collect())
        .collect();
    let mut widths: Vec<Vec<usize>> = rows.iter().map(|row| vec![0; row.len()]).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    for column in 0..columns {
        let mut start = 0;
        while start < rows.len() {
            let block = rows[start..]
                .iter()
                .take_while(|row| row.len() > column + 1)
                .count();
            let width = rows[start..start + block]
                .iter()
                .map(|row| row[column].chars().count() + GAP)
                .max();
            for row in &mut widths[start..start + block] {
                row[column] = width.unwrap_or_default().max(NARROWEST);
            }
            start += block.max(1);
        }
    }
    let mut text = String::new();
    for (row, widths) in rows.iter().zip(&widths) {
        for (index, (cell, width)) in row.iter().zip(widths).enumerate() {
            text.push_str(cell);
            if index + 1 < row.len() {
                text.extend(std::iter::repeat_n(
                    ' ',
                    width.saturating_sub(cell.chars().count()),
                ));
            }
        }
        text.push('\n');
    }
    text
}
