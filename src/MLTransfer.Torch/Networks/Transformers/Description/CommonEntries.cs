using System.Collections.Frozen;

namespace MLTransfer.Torch.Networks.Transformers.Description;

/// <summary>Entries that a <c>config.json</c> of any family may have and that do not change what the network computes.</summary>
internal static class CommonEntries
{
    private static readonly FrozenSet<string> s_names = FrozenSet.ToFrozenSet(
    [
        // what the file is, and who wrote it
        "model_type", "architectures", "transformers_version", "auto_map", "custom_pipelines", "transformers.js_config", "tokenizer_class",
        "license", "library_name", "language",

        // number formats and implementations: this library chooses its own
        "torch_dtype", "dtype", "use_cache", "use_bfloat16", "attn_implementation", "cache_implementation", "chunk_size_feed_forward",
        "gradient_checkpointing", "torchscript", "pretraining_tp", "tf_legacy_loss", "use_flash_attn", "unsloth_version", "unsloth_fixed",

        // what a call returns
        "output_hidden_states", "output_attentions", "output_past", "return_dict", "keys_to_ignore_at_inference",

        // heads of other tasks
        "id2label", "label2id", "num_labels", "finetuning_task", "problem_type", "task_specific_params", "classifier_dropout",
        "classif_dropout", "summary_type", "summary_use_proj", "summary_activation", "summary_proj_to_labels", "summary_first_dropout",

        // tokens and texts; the tokenizer and generation_config.json tell them
        "bos_token_id", "eos_token_id", "pad_token_id", "sep_token_id", "cls_token_id", "mask_token_id", "unk_token_id",
        "decoder_start_token_id", "prefix", "is_encoder_decoder",

        // how to generate, in older files
        "max_length", "min_length", "max_new_tokens", "min_new_tokens", "do_sample", "early_stopping", "num_beams", "num_beam_groups",
        "diversity_penalty", "temperature", "top_k", "top_p", "typical_p", "repetition_penalty", "length_penalty", "no_repeat_ngram_size",
        "encoder_no_repeat_ngram_size", "bad_words_ids", "num_return_sequences", "output_scores", "return_dict_in_generate",
        "forced_bos_token_id", "forced_eos_token_id", "remove_invalid_values", "exponential_decay_length_penalty", "suppress_tokens",
        "begin_suppress_tokens",
    ]);

    /// <summary>Whether an entry is one of them; names that begin with an underscore are notes of a program that wrote the file.</summary>
    public static bool Contains(string entry) => entry.StartsWith('_') || s_names.Contains(entry);
}
