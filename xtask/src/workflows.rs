//! The workflows in `.github/workflows` run elsewhere, where the SDKs of phones are. Here they are held to what can be
//! known of them: they are YAML, their jobs and steps are whole, and the commands of xtask that they run exist.

use std::fs;
use std::path::Path;

use saphyr::{LoadableYamlNode as _, Yaml};

use super::COMMANDS;

struct Workflow {
    name: String,
    text: String,
}

fn workflows() -> Vec<Workflow> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.github/workflows");
    let mut found: Vec<Workflow> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| Workflow {
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            text: fs::read_to_string(&path).unwrap(),
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// Calls `see` with each job's workflow and name, itself and its steps.
fn each_job(mut see: impl FnMut(&str, &str, &Yaml, &[Yaml])) {
    for Workflow { name, text } in workflows() {
        let documents =
            Yaml::load_from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let [workflow] = documents.as_slice() else {
            panic!("{name}: not one document")
        };
        let jobs = workflow
            .as_mapping_get("jobs")
            .and_then(Yaml::as_mapping)
            .unwrap_or_else(|| panic!("{name}: no jobs"));
        assert!(!jobs.is_empty(), "{name}");
        for (job_name, job) in jobs {
            let steps = job.as_mapping_get("steps").and_then(Yaml::as_vec);
            let steps = steps.unwrap_or_else(|| panic!("{name}: a job without steps"));
            see(&name, job_name.as_str().unwrap(), job, steps);
        }
    }
}

fn text<'a>(node: &'a Yaml, key: &str) -> Option<&'a str> {
    node.as_mapping_get(key)?.as_str()
}

#[test]
fn each_workflow_says_when_it_runs_and_what_it_may() {
    let names: Vec<String> = workflows().into_iter().map(|found| found.name).collect();
    assert_eq!(names, ["ci.yml", "kotlin.yml", "swift.yml"]);
    for Workflow { name, text } in workflows() {
        let documents = Yaml::load_from_str(&text).unwrap();
        let workflow = documents.first().unwrap();
        for key in ["name", "on", "permissions"] {
            assert!(workflow.contains_mapping_key(key), "{name}: no {key}");
        }
    }
}

#[test]
fn each_job_has_a_machine_and_whole_steps() {
    each_job(|workflow, name, job, steps| {
        assert!(text(job, "runs-on").is_some(), "{workflow}: {name}");
        for step in steps {
            let (uses, run) = (text(step, "uses"), text(step, "run"));
            assert!(
                uses.is_some() != run.is_some(),
                "{workflow}: {name}: {step:?}"
            );
            // What is used is pinned.
            assert!(
                uses.is_none_or(|uses| uses.contains("@v")),
                "{workflow}: {uses:?}"
            );
        }
    });
}

#[test]
fn what_a_job_waits_for_is_in_its_workflow() {
    let mut jobs = Vec::new();
    each_job(|workflow, name, _, _| jobs.push((workflow.to_owned(), name.to_owned())));
    each_job(|workflow, name, job, _| {
        let needs = job.as_mapping_get("needs").and_then(Yaml::as_vec);
        for need in needs.into_iter().flatten() {
            let need = (workflow.to_owned(), need.as_str().unwrap().to_owned());
            assert!(jobs.contains(&need), "{workflow}: {name} needs {}", need.1);
        }
    });
}

#[test]
fn the_commands_of_xtask_that_they_run_exist() {
    let mut run = 0;
    each_job(|workflow, _, _, steps| {
        for script in steps.iter().filter_map(|step| text(step, "run")) {
            for line in script.lines() {
                let Some((_, arguments)) = line.split_once("cargo xtask ") else {
                    continue;
                };
                run += 1;
                let mut words = arguments.split_whitespace().map(str::to_owned);
                let name = words.next().unwrap();
                let command = COMMANDS.iter().find(|command| command.name == name);
                let command = command.unwrap_or_else(|| panic!("{workflow}: {line}"));
                for word in words.take_while(|word| !word.starts_with('"')) {
                    let known = command.arguments.contains(&word) || command.about.contains(&word);
                    // The value of the option before it.
                    let is_folder = word == "natives";
                    assert!(known || is_folder, "{workflow}: {word:?} in {line:?}");
                }
            }
        }
    });
    assert!(run >= 5, "{run}");
}
