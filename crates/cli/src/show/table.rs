//! Tables that fit the terminal: columns as wide as their content; where they do not fit, columns in
//! which nothing stands are left out, and the last one is cut.

use super::Paint;
use std::io::IsTerminal;

/// Between two columns.
const GAP: &str = "  ";
/// The last column keeps at least so many characters.
const LAST_MIN: usize = 12;

/// Rows under a head.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows. A head that starts with `>` is of a column of numbers, which stand to
    /// the right.
    pub(crate) fn new<const N: usize>(head: [&str; N]) -> Table {
        Table {
            head: head.map(str::to_owned).to_vec(),
            rows: Vec::new(),
        }
    }

    /// One more row.
    pub(crate) fn row<const N: usize>(&mut self, row: [String; N]) {
        self.rows.push(row.into());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Prints it, or `none` when there is no row.
    pub(crate) fn print(&self, paint: Paint, none: &str) {
        if self.is_empty() {
            println!("{none}");
        } else {
            print!("{}", self.text(paint, terminal_width()));
        }
    }

    /// The same without columns that say nothing, from the right, until it fits.
    fn narrowed(&self, width: usize) -> Table {
        let mut table = self.clone();
        let says_nothing = |table: &Table, index: usize| {
            let mut cells = table.rows.iter().map(|row| row[index].as_str());
            cells.all(|cell| matches!(cell, "" | "0"))
        };
        // The first names the row, the last is what gives way.
        for index in (1..table.head.len().saturating_sub(1)).rev() {
            if table.total() > width && says_nothing(&table, index) {
                table.head.remove(index);
                for row in &mut table.rows {
                    row.remove(index);
                }
            }
        }
        table
    }

    /// As wide as its content.
    fn total(&self) -> usize {
        let widths = self.widths(None);
        widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1)
    }

    /// Its lines, at most `width` wide if one is given.
    pub(crate) fn text(&self, paint: Paint, width: Option<usize>) -> String {
        match width {
            Some(width) => self.narrowed(width).lines(paint, Some(width)),
            None => self.lines(paint, None),
        }
    }

    fn lines(&self, paint: Paint, width: Option<usize>) -> String {
        let widths = self.widths(width);
        let is_number: Vec<bool> = self.head.iter().map(|head| head.starts_with('>')).collect();
        let head: Vec<String> = self
            .head
            .iter()
            .map(|head| head.trim_start_matches('>').to_owned())
            .collect();
        let line = |cells: &[String]| line(cells, &widths, &is_number);
        let mut text = paint.faint(&line(&head)) + "\n";
        for row in &self.rows {
            text += &line(row);
            text += "\n";
        }
        text
    }

    fn widths(&self, width: Option<usize>) -> Vec<usize> {
        let column = |index: usize| {
            let head = self.head[index].trim_start_matches('>').chars().count();
            let cells = self.rows.iter().map(|row| length(&row[index]));
            cells.chain([head]).max().unwrap_or(0)
        };
        let mut widths: Vec<usize> = (0..self.head.len()).map(column).collect();
        let total: usize =
            widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1);
        if let (Some(width), Some(last)) = (width, widths.last_mut()) {
            *last = (*last).min(
                last.saturating_sub(total.saturating_sub(width))
                    .max(LAST_MIN),
            );
        }
        widths
    }
}

fn line(cells: &[String], widths: &[usize], is_number: &[bool]) -> String {
    let mut text = String::new();
    for (index, cell) in cells.iter().enumerate() {
        let width = widths[index];
        let space = " ".repeat(width.saturating_sub(length(cell)));
        if index > 0 {
            text += GAP;
        }
        if is_number[index] {
            text += &space;
            text += cell;
        } else {
            text += &cut(cell, width);
            text += &space;
        }
    }
    text.trim_end().to_owned()
}

/// Characters that are seen: colour is not.
fn length(text: &str) -> usize {
    let mut seen = 0;
    let mut in_colour = false;
    for character in text.chars() {
        match character {
            '\x1b' => in_colour = true,
            'm' if in_colour => in_colour = false,
            _ if in_colour => {}
            _ => seen += 1,
        }
    }
    seen
}

fn cut(text: &str, width: usize) -> String {
    if length(text) <= width || text.contains('\x1b') {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    kept + "…"
}

/// Columns of the terminal that standard output is; none when it is a file or a pipe.
pub(crate) fn terminal_width() -> Option<usize> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    let (columns, _) = ratatui::crossterm::terminal::size().ok()?;
    Some(usize::from(columns))
}

#[cfg(test)]
mod tests {
    use super::Table;
    use crate::show::Paint;
    use crate::show::paint::Colour;
    use expect_test::expect;

    #[test]
    fn columns_that_say_nothing_go_first() {
        let mut table = Table::new(["name", ">lease", ">drain", "doing", "because"]);
        table.row(["workers", "0", "2", "", "above target"].map(str::to_owned));
        let paint = Paint::new(Colour::Never);
        let shown = [45, 40, 30].map(|width| table.text(paint, Some(width)));
        expect![[r#"
            name     lease  drain  doing  because
            workers      0      2         above target
            name     lease  drain  because
            workers      0      2  above target
            name     drain  because
            workers      2  above target
        "#]]
        .assert_eq(&shown.concat());
    }

    #[test]
    fn the_last_column_gives_way() {
        let mut table = Table::new(["name", ">count", "reason"]);
        table.row(["workers", "3", "above target"].map(str::to_owned));
        table.row(["w", "12", "waits for a ready canister"].map(str::to_owned));
        let paint = Paint::new(Colour::Never);
        let shown = format!("{}{}", table.text(paint, None), table.text(paint, Some(36)));
        expect![[r#"
            name     count  reason
            workers      3  above target
            w           12  waits for a ready canister
            name     count  reason
            workers      3  above target
            w           12  waits for a ready c…
        "#]]
        .assert_eq(&shown);
    }
}
