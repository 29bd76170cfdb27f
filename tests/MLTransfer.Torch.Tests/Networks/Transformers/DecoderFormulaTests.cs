using Xunit;

namespace MLTransfer.Torch.Tests.Networks.Transformers;

/// <summary>Decoders with combinations of entries that no reference file has, against networks written down from the formulas.</summary>
public class DecoderFormulaTests
{
    [Theory]
    [InlineData("llama-tiny", """
        {"attention_bias": true, "mlp_bias": true, "head_dim": 10, "hidden_act": "gelu", "tie_word_embeddings": true}
        """)]
    [InlineData("llama-tiny", """{"num_key_value_heads": null, "head_dim": null, "hidden_act": "relu", "rms_norm_eps": 0.1}""")]
    [InlineData("llama-tiny", """
        {"rope_theta": "absent", "rope_parameters": {"rope_type": "default", "rope_theta": 300}, "mlp_bias": true}
        """)]
    [InlineData("llama-tiny", """{"rope_theta": 77, "rope_scaling": {"rope_type": "default"}, "attention_bias": true}""")]
    [InlineData("mistral-tiny", """{"sliding_window": null}""")]
    [InlineData("mistral-tiny", """
        {"sliding_window": 3, "num_key_value_heads": 1, "tie_word_embeddings": true, "hidden_act": "gelu_new"}
        """)]
    [InlineData("qwen2-tiny", """{"use_sliding_window": true, "max_window_layers": 1, "sliding_window": 4}""")]
    [InlineData("qwen2-tiny", """
        {"use_sliding_window": true, "sliding_window": 4, "layer_types": ["sliding_attention", "full_attention"]}
        """)]
    [InlineData("qwen2-tiny", """
        {"use_sliding_window": true, "max_window_layers": 0, "sliding_window": null, "tie_word_embeddings": false}
        """)]
    [InlineData("qwen3-tiny", """
        {"layer_types": "absent", "use_sliding_window": true, "max_window_layers": 1, "sliding_window": 5,
        "attention_bias": true}
        """)]
    [InlineData("qwen3-tiny", """
        {"layer_types": "absent", "sliding_window": 5, "head_dim": 6, "num_key_value_heads": 4, "tie_word_embeddings": false}
        """)]
    [InlineData("gemma2-tiny", """
        {"layer_types": "absent", "query_pre_attn_scalar": 3, "attn_logit_softcapping": null, "tie_word_embeddings": false}
        """)]
    [InlineData("gemma2-tiny", """
        {"final_logit_softcapping": "absent", "attn_logit_softcapping": "absent", "attention_bias": true,
        "hidden_activation": "relu"}
        """)]
    [InlineData("gemma2-tiny", """
        {"final_logit_softcapping": null, "num_hidden_layers": 2, "layer_types": ["full_attention", "sliding_attention"],
        "hidden_act": "relu"}
        """)]
    [InlineData("gemma3-tiny", """
        {"layer_types": "absent", "sliding_window_pattern": 2, "rope_scaling": null, "rope_local_base_freq": 50,
        "rope_theta": 5000}
        """)]
    [InlineData("gemma3-tiny", """
        {"rope_scaling": null, "rope_local_base_freq": "absent", "rope_theta": "absent", "final_logit_softcapping": 2,
        "attn_logit_softcapping": 3}
        """)]
    [InlineData("gemma3-tiny-rope-parameters", """
        {"rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 900},
        "sliding_attention": {"rope_type": "default", "rope_theta": 40}}, "attention_bias": true}
        """)]
    [InlineData("phi3-tiny", """{"rope_scaling": null, "partial_rotary_factor": 0.5, "sliding_window": 5, "tie_word_embeddings": true}""")]
    [InlineData("phi3-tiny", """
        {"rope_scaling": null, "partial_rotary_factor": "absent", "num_key_value_heads": null, "hidden_act": "gelu"}
        """)]
    [InlineData("smollm3-tiny", """
        {"no_rope_layers": "absent", "layer_types": "absent", "no_rope_layer_interval": 2, "use_sliding_window": true,
        "sliding_window": 4}
        """)]
    [InlineData("smollm3-tiny", """
        {"no_rope_layers": [0, 1, 0, 1], "attention_bias": true, "mlp_bias": true, "tie_word_embeddings": false,
        "rope_theta": "absent"}
        """)]
    public void Llama_and_relatives(string folder, string changes) =>
        Formulas.AssertEqual(folder, changes, (configuration, weights) => new LlamaFromTheFormulas(configuration, weights).Logits);

    [Theory]
    [InlineData("gpt-neox-tiny", """{"use_parallel_residual": false, "attention_bias": false, "hidden_act": "relu"}""")]
    [InlineData("gpt-neox-tiny", """{"rotary_emb_base": 50, "rotary_pct": 1.0, "tie_word_embeddings": true}""")]
    [InlineData("gpt-neox-tiny", """
        {"rotary_emb_base": "absent", "rope_theta": 90, "rotary_pct": 0.5, "partial_rotary_factor": "absent",
        "hidden_act": "gelu_new"}
        """)]
    [InlineData("gptj-tiny", """{"rotary_dim": 2, "n_inner": 20, "tie_word_embeddings": true, "activation_function": "gelu"}""")]
    [InlineData("gptj-tiny", """{"rotary_dim": "absent", "n_embd": 256, "n_head": 4}""")]
    [InlineData("gptj-tiny", """{"rotary_dim": null, "n_head": 4, "layer_norm_epsilon": 0.1}""")]
    [InlineData("gpt-neo-tiny", """
        {"attention_layers": "absent", "attention_types": [[["local"], 1], [["global", "local", "local"], 1]],
        "window_size": 3}
        """)]
    [InlineData("gpt-neo-tiny", """
        {"attention_layers": ["local", "local", "global", "global"], "intermediate_size": 24, "tie_word_embeddings": false,
        "activation_function": "relu"}
        """)]
    [InlineData("opt-tiny", """{"do_layer_norm_before": false, "word_embed_proj_dim": 12}""")]
    [InlineData("opt-tiny", """{"word_embed_proj_dim": 12, "enable_bias": false, "activation_function": "gelu"}""")]
    [InlineData("opt-tiny", """{"layer_norm_elementwise_affine": false, "tie_word_embeddings": false}""")]
    [InlineData("opt-tiny", """{"_remove_final_layer_norm": true, "word_embed_proj_dim": "absent"}""")]
    public void GPT_and_relatives(string folder, string changes) =>
        Formulas.AssertEqual(folder, changes, (configuration, weights) => new GptFromTheFormulas(configuration, weights).Logits);
}
