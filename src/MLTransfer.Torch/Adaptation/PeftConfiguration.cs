using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;

namespace MLTransfer.Torch.Adaptation;

/// <summary>The entries of peft's <c>adapter_config.json</c>.</summary>
internal static class PeftConfiguration
{
    /// <summary>Entries that change nothing of what is computed, or nothing that the others do not say.</summary>
    private static readonly HashSet<string> s_harmless =
    [
        "task_type", "base_model_name_or_path", "revision", "inference_mode", "auto_mapping", "peft_version", "megatron_core",
        "layers_pattern", "fan_in_fan_out", "qalora_group_size", "loftq_config", "eva_config", "corda_config", "lora_ga_config",
        "ensure_weight_tying",
    ];

    /// <exception cref="InvalidDataException">An entry is missing or malformed.</exception>
    /// <exception cref="NotSupportedException">An entry asks for what is not supported, or is not known; the message names it.</exception>
    public static LoraOptions Parse(JsonObject json, string origin)
    {
        var c = new ConfigurationReader(json, origin);
        const string supported = "supported is LoRA on linear layers, rank-stabilized and weight-decomposed too";
        if (c.Text("peft_type") is not "LORA")
            throw c.Unsupported("peft_type", supported);
        if (c.Text("bias", "none") is not "none")
            throw c.Unsupported("bias", supported);

        // The other ways to start (pissa, olora, corda, loftq, ...) change the base weights too, which the file does not hold.
        if (json["init_lora_weights"] is { } start && !c.IsFlag("init_lora_weights")
            && c.Text("init_lora_weights") is not ("gaussian" or "eva" or "orthogonal"))
            throw c.Unsupported("init_lora_weights", supported);
        if (c.Has("layers_pattern") && c.Has("layers_to_transform"))
            c.Refuse("layers_pattern", "the number of a block is found by itself");

        var pattern = json["target_modules"] is JsonValue && c.Text("target_modules") is var text and not LoraTargets.AllLinear
            ? text : null;
        var options = new LoraOptions
        {
            Rank = c.Size("r"),
            Alpha = c.Number("lora_alpha"),
            Dropout = c.Number("lora_dropout", 0),
            RankStabilized = c.Flag("use_rslora", false),
            WeightDecomposed = c.Flag("use_dora", false),
            TargetPattern = pattern,
            TargetModules = pattern is not null ? null : OneOrMany("target_modules") ?? throw c.Missing("target_modules"),
            ExcludedModules = json["exclude_modules"] is JsonValue
                ? throw c.Unsupported("exclude_modules", "supported is a list of names") : c.Texts("exclude_modules") ?? [],
            Blocks = json["layers_to_transform"] is JsonValue
                ? [c.Count("layers_to_transform")] : c.Numbers("layers_to_transform")?.Select(number => checked((int)number)).ToList(),
            RankPattern = Pattern("rank_pattern", static (entries, key) => entries.Size(key)),
            AlphaPattern = Pattern("alpha_pattern", static (entries, key) => entries.Number(key)),
            TrainedModules = c.Texts("modules_to_save") ?? [],
        };
        options = WithTrainedTokens(options, c, json);
        c.RefuseUnread(s_harmless.Contains);
        try
        {
            options.Check();
        }
        catch (ArgumentException exception)
        {
            throw new InvalidDataException($"{origin}: {exception.Message}", exception);
        }

        return options;

        IReadOnlyList<string>? OneOrMany(string key) => json[key] is JsonValue ? [c.Text(key)] : c.Texts(key);

        Dictionary<string, T> Pattern<T>(string key, Func<ConfigurationReader, string, T> read) =>
            c.Object(key) is { } entries ? json[key]!.AsObject().ToDictionary(entry => entry.Key, entry => read(entries, entry.Key)) : [];
    }

    /// <param name="options">What is written.</param>
    /// <param name="baseModel">The folder or hub id of the base model.</param>
    /// <param name="taskType">What peft calls the model's task.</param>
    /// <param name="isInputByOutput">Whether weights are stored as [input, output].</param>
    /// <param name="tokenModules">The modules with trained rows, the embedding first.</param>
    public static JsonObject Format(
        LoraOptions options, string? baseModel, string? taskType, bool isInputByOutput, IReadOnlyList<string>? tokenModules = null) => new()
    {
        ["alpha_pattern"] = Pattern(options.AlphaPattern),
        ["base_model_name_or_path"] = baseModel,
        ["bias"] = "none",
        ["exclude_modules"] = options.ExcludedModules.Count > 0 ? List(options.ExcludedModules) : null,
        ["fan_in_fan_out"] = isInputByOutput,
        ["inference_mode"] = true,
        ["init_lora_weights"] = true,
        ["layers_to_transform"] = options.Blocks is { } blocks ? List(blocks) : null,
        ["lora_alpha"] = options.Alpha,
        ["lora_dropout"] = options.Dropout,
        ["modules_to_save"] = options.TrainedModules.Count > 0 ? List(options.TrainedModules) : null,
        ["peft_type"] = "LORA",
        ["r"] = options.Rank,
        ["rank_pattern"] = Pattern(options.RankPattern),
        ["target_modules"] = options.TargetPattern is { } pattern ? pattern
            : options.TargetModules is [LoraTargets.AllLinear] ? LoraTargets.AllLinear : List(options.TargetModules!),
        ["task_type"] = taskType,
        ["trainable_token_indices"] = options.TrainedTokens.Count == 0 ? null
            : tokenModules is { Count: > 1 }
                ? new JsonObject(tokenModules.Select(module => KeyValuePair.Create(module, (JsonNode?)List(options.TrainedTokens))))
                : List(options.TrainedTokens),
        ["use_dora"] = options.WeightDecomposed,
        ["use_rslora"] = options.RankStabilized,
    };

    /// <summary>
    /// The tokens whose rows are trained: ids for the embedding, or for each of some modules, which the embedding is the first of.
    /// </summary>
    private static LoraOptions WithTrainedTokens(LoraOptions options, ConfigurationReader c, JsonObject json)
    {
        const string key = "trainable_token_indices";
        if (json[key] is not JsonObject)
            return options with { TrainedTokens = Ids(c, key), TrainsTokensOfHead = false };
        var modules = c.Object(key)!;
        var lists = json[key]!.AsObject().ToDictionary(entry => entry.Key, entry => Ids(modules, entry.Key));
        var heads = lists.Where(entry => IsHead(entry.Key)).Select(entry => entry.Value).ToList();
        var tables = lists.Where(entry => !IsHead(entry.Key)).Select(entry => entry.Value).ToList();
        if (tables.Count != 1 || heads.Any(head => !head.SequenceEqual(tables[0])))
            throw c.Unsupported(key, "supported are the same tokens for the embedding and for the output head, or for the embedding alone");
        return options with { TrainedTokens = tables[0], TrainsTokensOfHead = heads.Count > 0 };

        static IReadOnlyList<int> Ids(ConfigurationReader entries, string key) =>
            entries.Numbers(key)?.Select(number => checked((int)number)).ToList() ?? [];

        static bool IsHead(string module) => module.EndsWith("head", StringComparison.Ordinal) || module.EndsWith("embed_out", StringComparison.Ordinal)
            || module.EndsWith("decoder", StringComparison.Ordinal);
    }

    private static JsonArray List<T>(IEnumerable<T> values) => [.. values.Select(value => (JsonNode)JsonValue.Create(value)!)];

    private static JsonObject Pattern<T>(IReadOnlyDictionary<string, T> pattern) =>
        new(pattern.Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)JsonValue.Create(entry.Value))));
}
