//! User, groups, home, capabilities.

use std::ffi::CString;

use rustix::fs::{Gid, Mode, Uid};
use rustix::io::Errno;

use super::Prepared;
use crate::container::Identity;
use crate::failure::{Failure, Step};
use crate::init::close_to_others;
use crate::user;

impl Prepared {
    /// The user by the request's words, else by the configuration's numbers;
    /// with the text of /etc/passwd if that was read.
    pub(super) fn resolve_user(&self) -> Result<(user::Resolved, Option<String>), Failure> {
        let failed = |error: user::Error| Failure::sentence(Step::User, error.to_string());
        let Identity::Named { user, groups } = &self.identity else {
            let configured = &self.process.user;
            return Ok((
                user::Resolved {
                    uid: configured.uid,
                    gid: configured.gid,
                    groups: configured.additional_gids.clone(),
                    home: None,
                },
                None,
            ));
        };
        let passwd = user::read_passwd().map_err(failed)?;
        let group = user::read_group().map_err(failed)?;
        let resolved = user::resolve(&passwd, &group, user, groups).map_err(failed)?;
        Ok((resolved, Some(passwd)))
    }

    /// The environment, with HOME from /etc/passwd when the configuration has
    /// none, as runc does.
    pub(super) fn environment_with_home(
        &self,
        user: &user::Resolved,
        passwd: Option<String>,
    ) -> Result<Vec<CString>, Failure> {
        let mut environment = self.environment.clone();
        // An empty HOME counts as none.
        let is_home = |variable: &CString| variable.as_bytes().starts_with(b"HOME=");
        if environment
            .iter()
            .any(|variable| is_home(variable) && variable.as_bytes().len() > 5)
        {
            return Ok(environment);
        }
        environment.retain(|variable| !is_home(variable));
        let home = match (&user.home, passwd) {
            (Some(home), _) => home.clone(),
            (None, Some(passwd)) => user::home(&passwd, user.uid),
            // A file that cannot be used has no home in it.
            (None, None) => user::home(&user::read_passwd().unwrap_or_default(), user.uid),
        };
        let home = CString::new(format!("HOME={home}"))
            .map_err(|_| Failure::sentence(Step::User, "the home directory holds a NUL byte"))?;
        environment.push(home);
        Ok(environment)
    }

    /// Takes on user, groups, capabilities and no_new_privs.
    pub(super) fn take_on(&self, user: &user::Resolved) -> Result<(), Failure> {
        let identity =
            |what: &'static str| move |error: Errno| Failure::new(Step::Identity, what, error);
        let capability =
            |what: &'static str| move |error: Errno| Failure::new(Step::Capabilities, what, error);
        let process = &self.process;
        let mut sets = self.capabilities;
        if user.uid != 0 && matches!(self.identity, Identity::Named { .. }) {
            // What exec makes of them for anybody but root, as Docker has it.
            sets.effective = 0;
            sets.permitted = 0;
            sets.ambient = 0;
        }
        sets.limit_bounding()
            .map_err(capability("dropping capabilities from the bounding set"))?;
        rustix::thread::set_keep_capabilities(true)
            .map_err(capability("keeping capabilities over the change of user"))?;
        let groups: Vec<Gid> = user.groups.iter().map(|&gid| Gid::from_raw(gid)).collect();
        match rustix::thread::set_thread_groups(&groups) {
            // A user namespace of somebody who is not root may forbid it; then
            // there is none to set.
            Err(Errno::PERM) if self.rootless && groups.is_empty() => {}
            Err(Errno::PERM) => {
                return Err(Failure::sentence(
                    Step::Identity,
                    "setting additional groups: the user namespace does not permit it; one that \
                     was made without root privileges needs group mappings by newgidmap for that",
                ));
            }
            result => result.map_err(identity("setting the groups"))?,
        }
        let gid = Gid::from_raw(user.gid);
        rustix::thread::set_thread_res_gid(gid, gid, gid).map_err(identity("setting the group"))?;
        let uid = Uid::from_raw(user.uid);
        rustix::thread::set_thread_res_uid(uid, uid, uid).map_err(identity("setting the user"))?;
        let mask = process.user.umask.unwrap_or(0o022);
        rustix::process::umask(Mode::from_raw_mode(mask & 0o777));

        // Loading a filter takes CAP_SYS_ADMIN or no_new_privs. Exec computes
        // the sets anew from the bounding set and forgets this one, so that the
        // filter can come last and need not allow what comes before it.
        const SYS_ADMIN: u64 = 1 << 21;
        let extra = if self.filtered && !process.no_new_privileges {
            SYS_ADMIN
        } else {
            0
        };
        sets.apply(extra)
            .map_err(capability("setting capabilities"))?;
        rustix::thread::set_keep_capabilities(false)
            .map_err(capability("keeping capabilities over the change of user"))?;
        if process.no_new_privileges {
            rustix::thread::set_no_new_privs(true).map_err(capability("setting no_new_privs"))?;
        }
        // A change of identity makes it what fs.suid_dumpable says.
        close_to_others()
    }
}
