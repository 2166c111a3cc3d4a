//! Lists in every form that `--format` and `-q` ask for: a table of chosen
//! columns, JSON lines, a template for each row.

use std::collections::BTreeMap;
use std::sync::Arc;

use gotmpl::Value;

use super::table::aligned;
use super::template::{Template, TemplateError};

/// One item of a list: its fields as text, by the names templates use.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    /// Field and text.
    pub(crate) fields: BTreeMap<&'static str, String>,
    /// What `.Label` looks in.
    pub(crate) labels: BTreeMap<String, String>,
}

impl Row {
    /// Sets a field.
    pub(crate) fn set(&mut self, name: &'static str, text: impl Into<String>) {
        self.fields.insert(name, text.into());
    }

    fn value(&self) -> Value {
        let text = |text: &str| Value::String(Arc::from(text));
        let mut map: BTreeMap<Arc<str>, Value> = self
            .fields
            .iter()
            .map(|(name, value)| (Arc::from(*name), text(value)))
            .collect();
        let labels: BTreeMap<Arc<str>, Value> = self
            .labels
            .iter()
            .map(|(name, value)| (Arc::from(name.as_str()), text(value)))
            .collect();
        map.insert(Arc::from("\u{0}labels"), Value::Map(Arc::new(labels)));
        Value::Map(Arc::new(map))
    }

    fn json(&self) -> String {
        // Text always has a JSON form; Go escapes these three.
        serde_json::to_string(&self.fields)
            .unwrap_or_default()
            .replace('<', "\\u003c")
            .replace('>', "\\u003e")
            .replace('&', "\\u0026")
    }
}

/// How a list is shown.
pub(crate) struct Layout<'l> {
    /// `--format`, or what the configuration says.
    pub(crate) format: Option<&'l str>,
    /// Only this field, one a line.
    pub(crate) quiet: Option<&'static str>,
    /// The columns of the plain table.
    pub(crate) columns: &'l [&'static str],
    /// Every field that a template may name, with its heading.
    pub(crate) headings: &'l [(&'static str, &'static str)],
}

impl Layout<'_> {
    /// The text for all rows.
    ///
    /// # Errors
    /// A template that cannot be used.
    pub(crate) fn show(&self, rows: &[Row]) -> Result<String, TemplateError> {
        let format = self.format.unwrap_or("table");
        if let Some(field) = self.quiet
            && format == "table"
        {
            return Ok(rows
                .iter()
                .map(|row| format!("{}\n", row.fields.get(field).map_or("", String::as_str)))
                .collect());
        }
        match format {
            "json" => Ok(rows.iter().map(|row| row.json() + "\n").collect()),
            "table" => {
                let line = |cell: &dyn Fn(&str) -> String| {
                    self.columns
                        .iter()
                        .map(|column| cell(column))
                        .collect::<Vec<_>>()
                        .join("\t")
                };
                let mut lines = vec![line(&|column| self.heading(column).to_owned())];
                lines.extend(rows.iter().map(|row| {
                    line(&|column| row.fields.get(column).cloned().unwrap_or_default())
                }));
                Ok(aligned(&lines))
            }
            _ => match format.strip_prefix("table ") {
                Some(template) => self.template_table(template, rows),
                None => {
                    let template = Template::parse(format)?;
                    rows.iter()
                        .map(|row| template.execute(&row.value()).map(|text| text + "\n"))
                        .collect()
                }
            },
        }
    }

    fn template_table(&self, template: &str, rows: &[Row]) -> Result<String, TemplateError> {
        let template = Template::parse(template.trim_start())?;
        let mut headings: BTreeMap<Arc<str>, Value> = self
            .headings
            .iter()
            .map(|(name, heading)| (Arc::from(*name), Value::String(Arc::from(*heading))))
            .collect();
        headings.insert(Arc::from("\u{0}heading"), Value::Bool(true));
        let mut lines = vec![template.execute(&Value::Map(Arc::new(headings)))?];
        for row in rows {
            lines.push(template.execute(&row.value())?);
        }
        let lines: Vec<String> = lines
            .iter()
            .flat_map(|text| text.split('\n').map(str::to_owned))
            .collect();
        Ok(aligned(&lines))
    }

    fn heading(&self, column: &str) -> &str {
        self.headings
            .iter()
            .find(|(name, _)| *name == column)
            .map_or("", |(_, heading)| heading)
    }
}
