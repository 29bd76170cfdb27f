using System.Text.Json;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Networks.Transformers.Description;
using MLTransfer.Torch.Networks.Transformers.Families;
using MLTransfer.Torch.Tests.Contract;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Transformers;

/// <summary>Another value of an entry of config.json gives other numbers, is refused, or is known to say nothing about them.</summary>
public class ConfigurationEffectTests
{
    private const int Length = 40; // more than windows and than the positions of pretraining

    /// <summary>Of training alone: dropout, and how new weights are drawn.</summary>
    private static readonly string[] s_ofTraining =
    [
        "attention_dropout", "attention_probs_dropout_prob", "attn_pdrop", "dropout", "dropout_rate", "embd_pdrop", "embed_dropout",
        "hidden_dropout", "hidden_dropout_prob", "resid_dropout", "resid_pdrop", "activation_dropout",
        "initializer_range", "initializer_factor", "init_std",
    ];

    /// <summary>What says nothing beside what else the files say, and which entry that is.</summary>
    private static readonly Dictionary<string, string> s_withoutEffect = new()
    {
        // Learned positions have a table of that length, so that another is refused.
        ["*.max_position_embeddings"] = "the length", ["*.n_positions"] = "the length",
        ["smollm3-tiny.no_rope_layer_interval"] = "no_rope_layers",
        ["smollm3-tiny.use_sliding_window"] = "layer_types", ["smollm3-tiny.layer_types"] = "sliding_window",
        ["smollm3-tiny.sliding_window"] = "layer_types",
        ["phi3-tiny.rope_scaling.short_factor"] = "the length",
        ["gpt-neox-tiny.rotary_emb_base"] = "rotary_pct, which leaves one pair, whose frequency is 1",
        ["qwen2-tiny.max_window_layers"] = "use_sliding_window", ["qwen2-tiny.sliding_window"] = "use_sliding_window",
        ["qwen2-tiny.use_sliding_window"] = "max_window_layers",
        ["qwen3-tiny.max_window_layers"] = "layer_types", ["qwen3-tiny.sliding_window"] = "layer_types",
        ["qwen3-tiny.use_sliding_window"] = "layer_types",
        ["gpt2-tiny.reorder_and_upcast_attn"] = "float32",
        ["gpt-neox-tiny.rope_theta"] = "rotary_emb_base", ["gpt-neox-tiny.partial_rotary_factor"] = "rotary_pct",
        ["t5-tiny.feed_forward_proj"] = "dense_act_fn, is_gated_act", ["t5-v1_1-tiny.feed_forward_proj"] = "dense_act_fn, is_gated_act",
        ["t5-encoder-tiny.feed_forward_proj"] = "dense_act_fn, is_gated_act", ["t5-encoder-tiny.num_decoder_layers"] = "no decoder",
    };

    /// <summary>Values for entries that are null in the files.</summary>
    private static readonly Dictionary<string, string> s_instead = new()
    {
        ["sliding_window"] = "5", ["attn_logit_softcapping"] = "0.5", ["final_logit_softcapping"] = "0.5", ["n_inner"] = "7",
        ["intermediate_size"] = "7", ["rope_scaling"] = """{"type": "linear", "factor": 2}""",
    };

    public static IEnumerable<TheoryDataRow<string>> Folders => FamilyFolders.All;

    [Theory]
    [MemberData(nameof(Folders))]
    public void Every_entry_of_a_file_is_obeyed_or_refused_or_known_to_change_nothing(string folder)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var configuration = FamilyFolders.Configuration(folder);
        var family = FamilyRegistry.Of(configuration, folder);
        using var checkpoint = FamilyFolders.Open(folder);
        var expected = Compute(configuration, checkpoint);
        var unchanged = new List<string>();
        foreach (var (path, changed) in Changes(configuration, ""))
        {
            var key = path.Split('.')[0];
            if (key is "model_type" or "architectures" || CommonEntries.Contains(key) || family.Harmless.Contains(key)
                || s_ofTraining.Contains(key))
                continue;
            try
            {
                var difference = (Compute(changed, checkpoint) - expected).abs().max().item<float>();
                Assert.True(float.IsFinite(difference), path);
                if (difference < 1e-6)
                    unchanged.Add(path);
            }
            catch (Exception refusal) when (refusal is InvalidDataException or NotSupportedException)
            {
                // By the entry's name, by that of another one that does not fit it, or by the tensor that it asks for or leaves.
                var spelled = family.Spellings.FirstOrDefault(s => s.Other == key).Read ?? key;
                string[] words = [key, spelled, "; expected", "but config.json asks for", "has no tensor", "does not take"];
                Assert.True(
                    words.Any(word => refusal.Message.Contains(word, StringComparison.Ordinal)), $"{path}: {refusal.Message}");
            }
        }

        Assert.Equal([], unchanged.Where(path =>
            !s_withoutEffect.ContainsKey($"{folder}.{path}") && !s_withoutEffect.ContainsKey("*." + path)));
        Assert.All(
            s_withoutEffect.Keys.Where(entry => entry.StartsWith(folder + ".", StringComparison.Ordinal)),
            entry => Assert.Contains(entry[(folder.Length + 1)..], unchanged));
    }

    /// <summary>All entries of all files: what a family does not read is refused by name, or declared to be harmless.</summary>
    [Fact]
    public void Entries_of_other_families_are_refused_by_name()
    {
        var hub = JsonNode.Parse(File.ReadAllText(RepositoryFiles.Data("hub-configurations.json")))!.AsObject();
        var keys = hub.Select(file => file.Value!.AsObject()).Concat(FamilyFolders.All.Select(row => FamilyFolders.Configuration(row.Data)))
            .SelectMany(file => file.Select(entry => entry.Key)).Distinct().ToList();
        var refused = 0;
        foreach (var family in FamilyRegistry.All)
        {
            var folder = FamilyFolders.FirstOf(family.ModelType);
            using var checkpoint = FamilyFolders.Open(folder);
            foreach (var key in keys.Except(["model_type", "architectures"]))
            {
                var configuration = FamilyFolders.Configuration(folder);
                foreach (var (other, _) in family.Spellings.Where(s => s.Read == key))
                    configuration.Remove(other); // which would go before it
                configuration[key] = new JsonObject { ["what"] = "nobody reads" };
                var reader = new ConfigurationReader(configuration, tensors: [.. checkpoint.Tensors.Keys]);
                var error = Record.Exception(() => family.Read(reader));
                if (error is null)
                {
                    Assert.True(
                        CommonEntries.Contains(key) || family.Harmless.Contains(key) || key == "original_max_position_embeddings",
                        $"{family.ModelType} ignores {key}");
                    continue;
                }

                refused++;
                Assert.True(error is NotSupportedException or InvalidDataException, $"{family.ModelType}, {key}: {error}");
                var spelled = family.Spellings.FirstOrDefault(s => s.Other == key).Read ?? key;
                Assert.True(error.Message.Contains(spelled, StringComparison.Ordinal), $"{family.ModelType}, {key}: {error.Message}");
            }
        }

        Assert.True(refused > 1000, $"{refused}");
    }

    /// <summary>The configuration with each value in turn replaced by another of its kind, also in objects within.</summary>
    private static IEnumerable<(string Path, JsonObject Changed)> Changes(JsonObject configuration, string prefix)
    {
        foreach (var (key, value) in configuration.ToList())
        {
            if (value is JsonObject inner && key is not ("id2label" or "label2id"))
            {
                foreach (var (path, changed) in Changes(inner, $"{prefix}{key}."))
                    yield return (path, With(key, changed));
            }
            else if (Another(key, value) is { } other)
            {
                yield return (prefix + key, With(key, other));
            }
        }

        JsonObject With(string key, JsonNode value)
        {
            var copy = configuration.DeepClone().AsObject();
            copy[key] = value.DeepClone();
            return copy;
        }
    }

    private static JsonNode? Another(string key, JsonNode? value) => value switch
    {
        null => s_instead.TryGetValue(key, out var instead) ? JsonNode.Parse(instead) : null,
        JsonArray list when list.All(entry => entry?.GetValueKind() == JsonValueKind.String) => new JsonArray(
            [.. list.Select(entry => JsonValue.Create(entry!.ToString() switch
            {
                "sliding_attention" => "full_attention",
                "full_attention" => "sliding_attention",
                "global" => "local",
                "local" => "global",
                var other => other,
            }))]),
        JsonArray list when list.All(entry => entry?.GetValueKind() == JsonValueKind.Number) =>
            new JsonArray([.. list.Select(entry => JsonValue.Create(entry!.GetValue<double>() == 0 ? 1 : entry.GetValue<double>() / 2))]),
        _ => value.GetValueKind() switch
        {
            JsonValueKind.True => false,
            JsonValueKind.False => true,
            JsonValueKind.Number when key.Contains("eps", StringComparison.Ordinal) => 0.1, // that of BERT is too small to see
            JsonValueKind.Number => value.GetValue<double>() == 0 ? 1 : value.GetValue<double>() * 2,
            JsonValueKind.String => value.ToString() == "relu" ? "gelu" : "relu",
            _ => null,
        },
    };

    private static Tensor Compute(JsonObject configuration, Checkpoint checkpoint)
    {
        using var network = TransformerNetwork.Load(configuration, checkpoint, "the checkpoint");
        using var texts = new RandomTexts(network, rows: 2, network.ContextLength < Length ? network.ContextLength : Length);
        return network.Output.Heads.Any() ? texts.Logits(network, 0, texts.Length, cache: null) : texts.Hidden(network);
    }
}
