//! A container's unit.

use tare_oci::runtime::Resources;

use super::connection::Connection;
use super::properties::{self, Property};
use super::value::Value;
use super::{Error, name};
use crate::cgroup::devices::{self, Rule};

const NO_SUCH_UNIT: &str = "org.freedesktop.systemd1.NoSuchUnit";
const UNIT_EXISTS: &str = "org.freedesktop.systemd1.UnitExists";

/// A container's unit: a scope, or a slice if it is named so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cgroup) struct Unit {
    name: String,
    slice: String,
    rootless: bool,
}

impl Unit {
    pub(in crate::cgroup) fn new(name: &str, slice: &str, rootless: bool) -> Unit {
        Unit {
            name: name.to_owned(),
            slice: slice.to_owned(),
            rootless,
        }
    }

    /// The unit of a configured path (`slice:prefix:name`), and the path of
    /// its group below each hierarchy's root.
    pub(in crate::cgroup) fn plan(
        path: &str,
        id: &str,
        rootless: bool,
    ) -> Result<(Unit, String), crate::cgroup::Error> {
        let names = name::parse(path, id, rootless)?;
        let unit = Unit::new(&names.unit, &names.slice, rootless);
        // A slice is where its own name says, whatever it is wanted by.
        let below = if unit.is_slice() {
            name::expand(&unit.name).unwrap_or_default()
        } else {
            let slice = name::expand(&unit.slice).unwrap_or_default();
            format!("{slice}/{}", unit.name)
        };
        let above = if rootless {
            // The user's systemd has a group of its own, as
            // /user.slice/user-1000.slice/user@1000.service.
            unit.connect("tell its control group")?
                .manager_property("ControlGroup")?
        } else {
            String::new()
        };
        Ok((unit, format!("{above}{below}")))
    }

    pub(in crate::cgroup) fn name(&self) -> &str {
        &self.name
    }

    pub(in crate::cgroup) fn slice(&self) -> &str {
        &self.slice
    }

    fn is_slice(&self) -> bool {
        self.name.ends_with(".slice")
    }

    fn connect(&self, operation: &str) -> Result<Connection, Error> {
        Connection::open(self.rootless, operation)
    }

    /// Makes the unit around a process.
    pub(in crate::cgroup) fn start(
        &self,
        pid: i32,
        unified: bool,
        resources: &Resources,
        annotated: &[Property],
    ) -> Result<(), crate::cgroup::Error> {
        let mut all = self.own_properties(pid, unified);
        all.extend(properties::limits(resources, unified)?);
        if !self.rootless {
            all.extend(properties::devices(&devices::effective(
                &resources.devices,
            )?));
        }
        // What is asked for by name is asked for last.
        all.extend_from_slice(annotated);
        Ok(self.start_with(all)?)
    }

    fn own_properties(&self, pid: i32, unified: bool) -> Vec<Property> {
        let mut own = Vec::new();
        let mut add = |name: &str, value: Value| own.push((name.to_owned(), value));
        add(
            "Description",
            Value::string(format!("container {}", self.name)),
        );
        if self.is_slice() {
            add("Wants", Value::strings(&[&self.slice]));
        } else {
            add("Slice", Value::string(&self.slice));
            add("Delegate", Value::Bool(true));
            let pid = Value::Uint32(pid.unsigned_abs());
            add("PIDs", Value::Array("u".to_owned(), vec![pid]));
        }
        let io = if unified {
            "IOAccounting"
        } else {
            "BlockIOAccounting"
        };
        for accounting in ["MemoryAccounting", "CPUAccounting", io, "TasksAccounting"] {
            add(accounting, Value::Bool(true));
        }
        // A container has nothing to do with the host's start and shutdown.
        add("DefaultDependencies", Value::Bool(false));
        own
    }

    fn start_with(&self, all: Vec<Property>) -> Result<(), Error> {
        let operation = format!("start the unit {}", self.name);
        let mut connection = self.connect(&operation)?;
        let body = vec![
            Value::string(&self.name),
            Value::string("replace"),
            properties::array(all),
            Value::Array("(sa(sv))".to_owned(), Vec::new()),
        ];
        let result = match connection.job("StartTransientUnit", body.clone()) {
            // A failed one of that name may be left from before.
            Err(Error::Refused { name, .. }) if name == UNIT_EXISTS => {
                self.reset(&mut connection);
                connection.job("StartTransientUnit", body)
            }
            result => result,
        };
        match result {
            Ok(result) if result == "done" => Ok(()),
            Ok(result) => {
                self.reset(&mut connection);
                Err(Error::Refused {
                    operation,
                    name: String::new(),
                    message: format!("the job ended as {result:?}"),
                })
            }
            Err(error) => Err(error),
        }
    }

    /// Changes limits, until the unit or the host stops.
    pub(in crate::cgroup) fn set_limits(
        &self,
        unified: bool,
        resources: &Resources,
    ) -> Result<(), crate::cgroup::Error> {
        Ok(self.set(properties::limits(resources, unified)?)?)
    }

    /// Changes the rules for devices.
    pub(in crate::cgroup) fn set_devices(&self, rules: &[Rule]) -> Result<(), Error> {
        self.set(properties::devices(rules))
    }

    fn set(&self, changed: Vec<Property>) -> Result<(), Error> {
        if changed.is_empty() {
            return Ok(());
        }
        let operation = format!("change the unit {}", self.name);
        let body = vec![
            Value::string(&self.name),
            Value::Bool(true),
            properties::array(changed),
        ];
        self.connect(&operation)?
            .manager("SetUnitProperties", body)
            .map(drop)
    }

    /// Stops the unit and has systemd forget it. One that is not there is as
    /// good as stopped.
    pub(in crate::cgroup) fn stop(&self) -> Result<(), Error> {
        let mut connection = self.connect(&format!("stop the unit {}", self.name))?;
        let body = vec![Value::string(&self.name), Value::string("replace")];
        let result = match connection.job("StopUnit", body) {
            Err(Error::Refused { name, .. }) if name == NO_SUCH_UNIT => Ok(()),
            result => result.map(drop),
        };
        self.reset(&mut connection);
        result
    }

    /// Has systemd forget the unit if it has failed; nothing else matters any
    /// more.
    pub(in crate::cgroup) fn forget(&self) {
        if let Ok(mut connection) = self.connect(&format!("forget the unit {}", self.name)) {
            self.reset(&mut connection);
        }
    }

    fn reset(&self, connection: &mut Connection) {
        // It has not failed, or is not known: both are fine.
        let _ = connection.manager("ResetFailedUnit", vec![Value::string(&self.name)]);
    }
}
