//! Devices that are revoked or flood the quarantine (rules F4, M4).

use doorstep::ids::Heads;
use doorstep::office::store::QuarantineFilter;
use doorstep::sync::message::{Outcome, Packed, Push, RefusalCode, Request, Revocation};
use doorstep::workspace::{SyncProblem, SyncState};

use super::quarantine::{BY, accept, assert_sound, refused};
use crate::support::office::TestOffice;
use crate::support::phone::contact;
use crate::support::sync_client::{self, SyncClient};

#[tokio::test]
async fn m4_a_device_that_floods_quarantine_is_capped_and_nothing_honest_is_lost() {
    let office = TestOffice::ticking();
    let id = office.add_visit("C-1", &["chen.jie", "wu.min"]).await;
    let mut chen = SyncClient::new("chen.jie", 1);
    chen.sync(&office).await;
    let mut kept = Vec::new();
    // Ever smaller pieces, until none fits.
    for size in [3_500_000_u32, 200_000, 20_000, 1_000, 100] {
        for n in 0_u32.. {
            let byte = |i: u32| (i.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0];
            let noise = n.to_le_bytes().into_iter().chain((0..size).map(byte)).collect();
            match chen.push(&office, id, vec![noise]).await {
                Outcome::Refused { code: RefusalCode::QuarantineFull, quarantine: 0, .. } => break,
                Outcome::Refused { quarantine, .. } => kept.push(quarantine),
                other => panic!("{other:?}"),
            }
        }
    }
    assert!((20..200).contains(&kept.len()), "{}", kept.len());

    // Other users are not blocked, and unsent changes to a withdrawn record are not reported as
    // kept.
    let mut wu = SyncClient::new("wu.min", 2);
    wu.sync(&office).await;
    wu.write(id, sync_client::contact(1));
    let reply = wu.sync(&office).await;
    assert!(matches!(reply.results[0], Outcome::Merged { .. }));
    chen.write(id, sync_client::contact(2));
    office.assign(id, &["wu.min"]).await;
    let request = chen.request();
    let reply = chen.exchange(&office, request.clone()).await;
    assert!(matches!(
        reply.results[0],
        Outcome::Refused { code: RefusalCode::QuarantineFull, quarantine: 0, .. }
    ));
    office.dismiss_quarantined(kept[0], "noise", BY).await.unwrap();
    let reply = chen.exchange(&office, request).await;
    assert_eq!(reply.results[0], Outcome::Withdrawn);
    office.assert_sound().await;
}

#[tokio::test]
async fn f4_a_revoked_device_submits_all_its_work_and_then_erases_itself() {
    let (office, ids) = TestOffice::with_records(3).await;
    let mut phone = refused(&office, ids[0]).await;
    phone.apply(ids[1], &contact("unsent"));
    phone.ended = Some(Revocation::DeviceRevoked);
    phone.workspace.sync_now(phone.now);
    phone.run();
    // The reply is lost: nothing is erased and the work is sent again.
    phone.answer(&office).await.expect("taken");
    phone.lose_reply();
    assert_eq!((phone.erased, phone.ids().len()), (None, 3));
    phone.apply(ids[1], &contact("typed since"));
    phone.now += 60_000;
    phone.workspace.sync_now(phone.now);
    phone.run();
    let mut rounds = 0;
    while phone.erased.is_none() {
        assert!(rounds < 8, "{:?}", phone.status());
        rounds += 1;
        if phone.sent.is_some() {
            phone.round(&office).await;
            if phone.erased.is_none() {
                assert_eq!(
                    phone.status().problem,
                    Some(SyncProblem::Revoked(Revocation::DeviceRevoked))
                );
                assert_eq!(phone.status().state, SyncState::Attention);
            }
        }
        phone.wake_if_due();
    }
    assert_eq!(phone.erased, Some(Revocation::DeviceRevoked));
    assert!(phone.tables.values().all(std::collections::BTreeMap::is_empty));
    assert!(phone.ids().is_empty() && phone.workspace.is_durable());

    // All of it is kept, and nothing of it was merged.
    let page = office
        .quarantine_page(QuarantineFilter { limit: 9, ..QuarantineFilter::default() })
        .await
        .expect("read");
    let units: Vec<&str> =
        page.rows.iter().flat_map(|row| &row.units).map(String::as_str).collect();
    for unit in ["contacts.unsent", "contacts.typed since", "contacts.refused with it"] {
        assert!(units.contains(&unit), "{units:?}");
    }
    assert!(office.visit(ids[1]).await.expect("there").contacts.is_empty());
    // Work that arrived twice, the second time with more changes, is merged once.
    for row in page.rows.iter().rev() {
        accept(&office, row.id).await.expect("possible");
    }
    assert_eq!(office.visit(ids[1]).await.expect("there").contacts.len(), 2);
    assert_sound(&office).await;
}

#[tokio::test]
async fn f4_the_last_contact_of_a_revoked_device_reads_nothing() {
    let office = TestOffice::ticking();
    let id = office.add_visit("C-1", &["chen.jie"]).await;
    let secret = office.add_visit("C-2", &["wu.min"]).await;
    let mut chen = SyncClient::new("chen.jie", 1);
    chen.sync(&office).await;
    chen.write(id, sync_client::contact(1));
    let mut request = chen.request();
    request.cursor = Default::default();
    request.want = [id, secret]
        .map(|record| doorstep::sync::message::Want { record, have: Heads::default() })
        .to_vec();
    let stray = Packed::plain(chen.last_unsent(id).raw_bytes());
    request.push.push(Push { record: secret, changes: vec![stray] });
    let reply = office.drain(&chen.session(), request, Revocation::UserDisabled).await.unwrap();
    assert_eq!(reply.results, [Outcome::Withdrawn, Outcome::Withdrawn]);
    assert!(reply.entries.is_empty() && reply.differing == Default::default());
    assert_eq!(
        (reply.revocation, reply.digest),
        (Some(Revocation::UserDisabled), Default::default())
    );
    let empty =
        office.drain(&chen.session(), Request::default(), Revocation::DeviceRevoked).await.unwrap();
    assert!(empty.results.is_empty());
    assert_eq!(office.quarantine().await.unwrap().len(), 2);
    assert!(office.visit(id).await.unwrap().contacts.is_empty());
    office.assert_sound().await;
}
