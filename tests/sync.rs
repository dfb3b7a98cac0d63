//! The suites of synced realms, in a browser, against a real server that the conductor runs. They are compiled with the
//! feature `server-tests` only; without a conductor's address each of them fails.

use wasm_bindgen_test::wasm_bindgen_test_configure;

mod host;

wasm_bindgen_test_configure!(run_in_browser);

/// Tells the suites where the conductor is.
fn prepare() {
    let address = option_env!("EBBTIDE_CONDUCTOR");
    host::set_conductor(address.expect("`cargo xtask test browser` starts the server that this needs"));
}

suite!(resets {
    a_restored_server_resets_in_place
    terminated_sync_resets_in_place
    trimmed_history_resets_in_place
    a_forgotten_client_resets_in_place
    a_connected_client_notices_by_itself
    a_reset_at_startup_comes_before_the_realm
    the_realm_reads_and_writes_while_it_waits_for_the_reset
    writes_after_the_reset_are_uploaded_and_told
    a_breaking_schema_change_takes_the_manual_path
    manual_mode_asks_the_application
    an_application_that_never_resets_is_reset_at_the_next_opening
    a_reset_that_an_earlier_visit_left_can_be_finished
    a_reset_in_the_middle_of_an_opening_can_be_finished_in_the_error_callback
    a_simulated_reset_behaves_like_a_real_one
    recover_modes_say_that_they_are_not_available_yet
    the_documented_discard_program_runs
    the_documented_manual_program_runs
});

suite!(sync {
    a_user_logs_in_and_out
    another_page_knows_at_once_who_logs_in_and_out
    the_current_user_is_switched_at_once
    a_path_that_is_open_belongs_to_one_user_and_partition
    two_clients_converge
    a_realm_that_is_not_on_disk_is_downloaded_fully_first
    the_session_can_be_paused_and_asked
    connection_and_progress_are_told
    who_listens_to_the_connection_hears_nothing_of_a_realm_that_is_closed
    offline_writes_survive_the_end_of_the_page
    a_realm_closed_offline_is_free_for_another_page
    later_edits_win_and_deletes_always
    a_lost_acknowledgement_changes_nothing
    a_killed_server_loses_nothing_acknowledged
    opening_behaviours_do_what_they_say
    additive_schema_changes_flow
    a_synced_realm_takes_additions_to_its_schema_and_nothing_else
    a_simulated_error_reaches_the_error_callback
});

suite!(encryption_sync {
    a_synced_realm_is_encrypted_on_disk_and_syncs_from_every_page
    the_backup_of_an_encrypted_realm_takes_its_key
});
