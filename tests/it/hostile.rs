//! Attacks by an enrolled, signed-in device on the real program over TCP.
//!
//! Tables list each attack with its expected refusal: headers of changes (`headers`), their columns
//! byte by byte (`columns`), operations (`operations`), combinations within one push (`pushes`),
//! whole bodies (`bodies`), amplification (`floods`), cheap requests that cause much work
//! (`pressure`), and bytes that are no request (`network`). Meanwhile an honest phone keeps working
//! and gets correct answers. Afterwards every record is unchanged and accepts the honest changes
//! from which the forgeries were made, and `doorstep verify` finds nothing (rules M1 to M3, P3, R2,
//! R5).

mod bodies;
mod columns;
mod floods;
mod headers;
mod honest;
mod network;
mod operations;
mod pressure;
mod pushes;
mod raw;
mod scene;
mod server;

use honest::Honest;
use scene::Scene;
use server::Server;

/// What the program may take beyond its size at rest, MiB.
const MEMORY: u64 = 256;

#[test]
fn m1_m2_every_forged_change_gets_its_word() {
    attacked(|scene, _, _| {
        headers::attack(scene);
        columns::attack(scene);
        operations::attack(scene);
        pushes::attack(scene);
    });
}

#[test]
fn r1_r5_every_false_body_gets_its_word() {
    attacked(|scene, _, _| {
        bodies::attack(scene);
        network::attack(scene);
    });
}

#[test]
fn r2_floods_take_no_more_than_their_share() {
    attacked(|scene, _, _| floods::attack(scene));
}

#[test]
fn r2_who_costs_much_with_little_costs_others_nothing() {
    attacked(pressure::attack);
}

/// Attacks an office that an honest phone works with, and finds it as it must be.
fn attacked(attack: impl FnOnce(&mut Scene, &Server, &Honest)) {
    let server = Server::start();
    let honest = Honest::start(&server);
    let mut scene = Scene::new(&server);
    let rest = server.program.memory_mib("VmRSS");
    attack(&mut scene, &server, &honest);
    let most = server.program.memory_mib("VmHWM");
    scene.assert_unharmed();
    honest.assert_all_there();
    server.assert_sound();
    println!("at rest {rest} MiB, at most {most} MiB");
    assert!(most - rest < MEMORY, "at rest {rest} MiB, at most {most} MiB");
}
