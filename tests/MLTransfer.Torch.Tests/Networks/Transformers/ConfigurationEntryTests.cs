using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Networks.Transformers.Description;
using MLTransfer.Torch.Networks.Transformers.Families;
using MLTransfer.Torch.Numerics;
using Xunit;

namespace MLTransfer.Torch.Tests.Networks.Transformers;

/// <summary>Every entry of a config.json is obeyed, known to change nothing, or refused by name.</summary>
public class ConfigurationEntryTests
{
    private static readonly JsonObject s_published =
        JsonNode.Parse(File.ReadAllText(RepositoryFiles.Data("hub-configurations.json")))!.AsObject();

    public static IEnumerable<TheoryDataRow<string>> Published => s_published.Select(entry => new TheoryDataRow<string>(entry.Key));

    public static IEnumerable<TheoryDataRow<string>> ModelTypes =>
        FamilyRegistry.All.Select(family => new TheoryDataRow<string>(family.ModelType));

    [Theory]
    [MemberData(nameof(Published))]
    public void Configurations_as_published_are_read(string name)
    {
        var transformer = Read(s_published[name]!.AsObject());
        Assert.NotEmpty(transformer.Output.Blocks);
    }

    [Theory]
    [MemberData(nameof(ModelTypes))]
    public void An_entry_that_nobody_knows_is_refused_by_name_unless_it_asks_for_nothing(string modelType)
    {
        var configuration = FamilyFolders.Configuration(FamilyFolders.FirstOf(modelType));
        configuration["residual_gain"] = 0.5;
        var error = Assert.Throws<NotSupportedException>(() => Read(configuration));
        Assert.Contains("residual_gain is 0.5", error.Message, StringComparison.Ordinal);

        foreach (var nothing in (JsonNode?[])[null, false, 0, new JsonArray(), new JsonObject()])
        {
            configuration["residual_gain"] = nothing;
            Assert.Equal(modelType, FamilyRegistry.Of(configuration, "test").ModelType);
            Read(configuration);
        }
    }

    [Fact]
    public void An_unknown_entry_of_a_scaling_is_refused_by_name()
    {
        var configuration = FamilyFolders.Configuration("llama-tiny-linear");
        configuration["rope_scaling"]!["mrope_section"] = new JsonArray(1, 2);
        var error = Assert.Throws<NotSupportedException>(() => Read(configuration));
        Assert.Contains("rope_scaling: mrope_section", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gptj-tiny", "rotary", "false")]
    [InlineData("gptj-tiny", "scale_attn_weights", "false")]
    [InlineData("phi3-tiny", "full_attn_mod", "2")]
    [InlineData("bart-tiny", "extra_pos_embeddings", "1")]
    [InlineData("bart-tiny", "normalize_before", "true")]
    [InlineData("bart-tiny", "normalize_embedding", "false")]
    [InlineData("bart-tiny", "add_final_layer_norm", "true")]
    [InlineData("gemma3-tiny", "use_bidirectional_attention", "true")]
    [InlineData("gemma3-tiny", "rope_parameters", """{"rope_type": "default", "rope_theta": 100}""")]
    [InlineData("llama-tiny", "rope_parameters", """{"full_attention": {"rope_type": "default"}}""")]
    [InlineData("llama-tiny", "rope_scaling", """{"rope_type": "mrope", "factor": 2}""")]
    [InlineData("llama-tiny", "hidden_act", "\"mish\"")]
    [InlineData("mistral-tiny", "layer_types", """["full_attention", "chunked_attention"]""")]
    [InlineData("phi3-tiny", "lm_head_bias", "true")]
    [InlineData("smollm3-tiny", "attention_chunk_size", "8")]
    [InlineData("min-dalle-tiny", "use_glu", "false")]
    [InlineData("bert-tiny", "position_embedding_type", "\"relative_key\"")]
    [InlineData("llama-tiny", "tie_encoder_decoder", "true")]
    [InlineData("opt-tiny", "layerdrop", "0.1")]
    [InlineData("bert-tiny", "pruned_heads", """{"0": [1]}""")]
    [InlineData("llama-tiny", "quantization_config", """{"quant_method": "gptq"}""")]
    public void What_is_not_computed_is_refused_by_name(string folder, string key, string value)
    {
        var configuration = FamilyFolders.Configuration(folder);
        configuration[key] = JsonNode.Parse(value);
        Assert.Contains(key, Assert.Throws<NotSupportedException>(() => Read(configuration)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("qwen2-tiny", "layer_types", """["sliding_attention", "full_attention"]""")] // use_sliding_window is false
    [InlineData("gemma3-tiny", "sliding_window", "null")]
    [InlineData("gptj-tiny", "rotary_dim", "18")]
    [InlineData("gptj-tiny", "rotary_dim", "3")]
    [InlineData("llama-tiny", "num_key_value_heads", "3")]
    [InlineData("llama-tiny", "partial_rotary_factor", "0.1")]
    [InlineData("smollm3-tiny", "no_rope_layers", "[1, 0]")]
    [InlineData("gpt-neo-tiny", "attention_layers", """["global"]""")]
    public void What_does_not_go_together_is_refused_by_name(string folder, string key, string value)
    {
        var configuration = FamilyFolders.Configuration(folder);
        configuration[key] = JsonNode.Parse(value);
        Assert.Contains(key, Assert.Throws<InvalidDataException>(() => Read(configuration)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Old_and_new_forms_of_rotations_say_the_same()
    {
        var old = FamilyFolders.Configuration("gemma3-tiny");
        var both = FamilyFolders.Configuration("gemma3-tiny-rope-parameters");
        Assert.Equal(Rotations(old), Rotations(both));
        both["rope_parameters"]!["sliding_attention"]!.AsObject().Remove("rope_theta");
        (both["rope_theta"], both["rope_local_base_freq"]) = (5, 100); // each kind of layer has its own
        Assert.Equal(Rotations(old), Rotations(both));

        var phi = FamilyFolders.Configuration("phi3-tiny");
        var expected = Rotations(phi);
        foreach (var type in (string[])["su", "yarn", "longrope"])
        {
            phi["rope_scaling"]!["type"] = type;
            Assert.Equivalent(expected, Rotations(phi));
        }

        phi["rope_parameters"] = phi["rope_scaling"]!.DeepClone();
        (phi["rope_parameters"]!["rope_theta"], phi["rope_parameters"]!["partial_rotary_factor"]) = (10000, 0.75);
        (phi["rope_parameters"]!["original_max_position_embeddings"], phi["rope_parameters"]!["factor"]) = (16, 4);
        foreach (var key in (string[])["rope_scaling", "rope_theta", "partial_rotary_factor", "original_max_position_embeddings"])
            phi.Remove(key);
        Assert.Equivalent(expected, Rotations(phi));

        static List<Rotary?> Rotations(JsonObject configuration) =>
            [.. Read(configuration).Decoder!.Blocks.Select(block => block.Self.Rotary)];
    }

    [Fact]
    public void Phi3_was_pretrained_with_4096_positions_where_its_file_does_not_say()
    {
        var phi = FamilyFolders.Configuration("phi3-tiny");
        phi.Remove("original_max_position_embeddings");
        phi["max_position_embeddings"] = 131072;
        var scaling = Assert.IsType<LongRopeScaling>(Read(phi).Decoder!.Blocks[0].Self.Rotary!.Scaling);
        Assert.Equal(4096, scaling.Original);
        Assert.Equal(Math.Sqrt(1 + Math.Log(32) / Math.Log(4096)), scaling.AttentionFactor, 1e-12);
    }

    [Fact]
    public void Null_turns_off_what_an_absent_entry_leaves_on()
    {
        Assert.Equal([4096, null, 9], Windows("mistral-tiny", "sliding_window", attention => attention.Window));
        Assert.Equal([50, null, 3], Windows("gemma2-tiny", "attn_logit_softcapping", attention => attention.SoftCap));
        Assert.Equal([8, 4, 2], Windows("mistral-tiny", "num_key_value_heads", attention => attention.KeyValueHeads, heads: 8, ifNull: 4));
        var logits = FamilyFolders.Configuration("gemma2-tiny");
        logits.Remove("final_logit_softcapping");
        Assert.Equal(30, Read(logits).Output.Heads[0].SoftCap);
    }

    [Theory]
    [InlineData("gpt2-tiny", "n_embd", "hidden_size")]
    [InlineData("gpt2-tiny", "n_layer", "num_hidden_layers")]
    [InlineData("gptj-tiny", "n_positions", "max_position_embeddings")]
    [InlineData("gpt-neo-tiny", "num_heads", "num_attention_heads")]
    [InlineData("distilbert-tiny", "dim", "hidden_size")]
    [InlineData("t5-tiny", "d_kv", "head_dim")]
    [InlineData("bart-tiny", "d_model", "hidden_size")]
    [InlineData("gpt-neox-tiny", "partial_rotary_factor", "rotary_pct")]
    public void Another_spelling_says_the_same(string folder, string key, string spelling)
    {
        var configuration = FamilyFolders.Configuration(folder);
        var expected = Shapes(configuration);
        configuration[spelling] = configuration[key]!.DeepClone();
        configuration.Remove(key);
        Assert.Equal(expected, Shapes(configuration));
    }

    [Theory]
    [InlineData("gated-gelu", null, null, true, "GeluTanh")]
    [InlineData("gated-silu", null, null, true, "Silu")]
    [InlineData("relu", null, null, false, "Relu")]
    [InlineData("gated-gelu", "relu", null, true, "Relu")] // what the file says apart goes before
    [InlineData("relu", "gelu", true, true, "Gelu")]
    public void The_feed_forward_of_T5_is_what_its_entries_say(string feed, string? activation, bool? isGated, bool gated, string expected)
    {
        var configuration = FamilyFolders.Configuration("t5-tiny");
        configuration["feed_forward_proj"] = feed;
        (configuration["dense_act_fn"], configuration["is_gated_act"]) = (activation, isGated);
        var block = Read(configuration).Encoder!.Blocks[0].Feed;
        Assert.Equal(gated, block.Gating != Gating.None);
        Assert.Equal(Enum.Parse<Activation>(expected), block.Activation);
    }

    private static Transformer Read(JsonObject configuration) =>
        FamilyRegistry.Of(configuration, "test").Read(new ConfigurationReader(configuration));

    /// <summary>What attention has where an entry is absent, null and as in the file.</summary>
    private static IReadOnlyList<double?> Windows(
        string folder, string key, Func<Attention, double?> of, int heads = 0, double? ifNull = null)
    {
        var configuration = FamilyFolders.Configuration(folder);
        var asFile = of(Read(configuration).Decoder!.Blocks[0].Self);
        if (heads > 0)
            configuration["num_attention_heads"] = heads;
        configuration.Remove(key);
        var absent = of(Read(configuration).Decoder!.Blocks[0].Self);
        if (heads > 0)
            configuration["num_attention_heads"] = ifNull;
        configuration[key] = null;
        return [absent, of(Read(configuration).Decoder!.Blocks[0].Self), asFile];
    }

    private static IEnumerable<string> Shapes(JsonObject configuration)
    {
        using var network = TransformerNetwork.Create(configuration.DeepClone().AsObject(), seed: 1);
        return [.. network.CheckpointTensors().Select(tensor => $"{tensor.Key} {string.Join(' ', tensor.Value.shape)}")
            .Append($"context {network.ContextLength}")];
    }
}
