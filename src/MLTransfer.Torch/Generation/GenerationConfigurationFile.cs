using System.Text.Json;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Gguf;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Tokenization.Gguf;

namespace MLTransfer.Torch.Generation;

/// <summary>Reads and writes <c>generation_config.json</c>.</summary>
internal static class GenerationConfigurationFile
{
    public const string FileName = "generation_config.json";

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    /// <summary>Entries that change what is generated and are not supported, and the values with which they do not.</summary>
    private static readonly (string Name, string Neutral)[] s_unsupported =
    [
        ("encoder_repetition_penalty", "1"), ("encoder_no_repeat_ngram_size", "0"), ("num_beam_groups", "1"), ("diversity_penalty", "0"),
        ("penalty_alpha", "0"), ("guidance_scale", "1"), ("epsilon_cutoff", "0"), ("eta_cutoff", "0"),
        ("exponential_decay_length_penalty", "null"), ("sequence_bias", "null"), ("renormalize_logits", "false"),
        ("force_words_ids", "null"), ("constraints", "null"), ("forced_decoder_ids", "null"), ("dola_layers", "null"),
        ("watermarking_config", "null"),
    ];

    /// <param name="folder">A folder in Hugging Face layout.</param>
    /// <param name="supported">An entry that texts have no use for and the caller reads.</param>
    public static GenerationOptions Read(string folder, string? supported = null)
    {
        var path = Path.Combine(folder, FileName);
        if (!FileOnDisk.Exists(path))
            return new GenerationOptions();
        var json = JsonContent.Parse(FileKind.Configuration.Read(path), path);
        try
        {
            var options = Convert(json, HasEncoder(folder));
            RefuseUnsupported(json, path, supported);
            options.Check();
            return options with { Published = new PublishedOptions(options) };
        }
        catch (Exception exception) when (exception is FormatException or InvalidOperationException or ArgumentException)
        {
            throw new InvalidDataException($"{path}: {exception.Message}", exception);
        }
    }

    /// <summary>The tokens that end a text, as published beside a model; empty where the file is missing or does not say.</summary>
    /// <exception cref="InvalidDataException">The file is malformed.</exception>
    public static IReadOnlyList<int> ReadEndOfSequenceIds(string folder)
    {
        if (GgufFile.Is(folder))
        {
            using var file = GgufFile.Open(folder);
            return [.. new[] { "tokenizer.ggml.eos_token_id", GgufTokenizerKeys.EndOfTurn }
                .Select(key => file.Metadata.OptionalWhole(key, 0, int.MaxValue)).OfType<int>()];
        }

        var path = Path.Combine(folder, FileName);
        if (!FileOnDisk.Exists(path))
            return [];
        var root = JsonContent.Parse(FileKind.Configuration.Read(path), path);
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("eos_token_id", out var value)
            || value.ValueKind == JsonValueKind.Null)
            return [];
        try
        {
            return ToList(value, item => item.GetInt32());
        }
        catch (Exception exception) when (exception is FormatException or InvalidOperationException)
        {
            throw new InvalidDataException(
                $"{path}: eos_token_id is {value.GetRawText()}; expected a token id or a list of them.", exception);
        }
    }

    /// <summary>Writes the tokens that end a text.</summary>
    public static void WriteEndOfSequenceIds(string folder, IReadOnlyList<int> ids) => AtomicFile.WriteAllText(
        Path.Combine(folder, FileName), new JsonObject { ["eos_token_id"] = Of(ids) }.ToJsonString(s_indented) + "\n");

    private static JsonNode Of(IReadOnlyList<int> ids) =>
        ids is [var only] ? JsonValue.Create(only) : new JsonArray([.. ids.Select(id => (JsonNode)id)]);

    /// <summary>Writes what differs from the defaults, and the ids of special tokens.</summary>
    /// <param name="folder">An existing folder.</param>
    /// <param name="options">Null for the ids alone.</param>
    /// <param name="model">The content of <c>config.json</c>, which names ids first.</param>
    /// <param name="tokenizer">Names ids that <c>config.json</c> does not; may be null.</param>
    public static void Write(string folder, GenerationOptions? options, JsonObject model, TextTokenizer? tokenizer) =>
        AtomicFile.WriteAllText(Path.Combine(folder, FileName), Format(options, model, tokenizer).ToJsonString(s_indented) + "\n");

    private static JsonObject Format(GenerationOptions? options, JsonObject model, TextTokenizer? tokenizer)
    {
        var json = new JsonObject();
        AddId("bos_token_id", null, tokenizer?.BeginningOfSequenceId);
        AddId("eos_token_id", options?.EndOfSequenceIds, tokenizer?.EndOfSequenceId);
        AddId("pad_token_id", null, tokenizer?.PaddingId);
        TokenRuleEntries.Copy(model, json);
        if (options is null)
            return json;

        var defaults = new GenerationOptions();
        json["max_new_tokens"] = options.MaximumNewTokens; // transformers' own default counts the prompt
        Add("min_new_tokens", options.MinimumNewTokens, defaults.MinimumNewTokens);
        Add("do_sample", options.Sample, defaults.Sample);
        if (options.Sample)
            json["top_k"] = options.TopK; // transformers' own default is another
        Add("temperature", options.Temperature, defaults.Temperature);
        Add("top_p", options.TopP, defaults.TopP);
        Add("min_p", options.MinP, defaults.MinP);
        Add("typical_p", options.TypicalP, defaults.TypicalP);
        Add("repetition_penalty", options.RepetitionPenalty, defaults.RepetitionPenalty);
        Add("no_repeat_ngram_size", options.NoRepeatNgramSize, defaults.NoRepeatNgramSize);
        Add("num_beams", options.BeamCount, defaults.BeamCount);
        Add("length_penalty", options.LengthPenalty, defaults.LengthPenalty);
        Add("num_return_sequences", options.SequencesPerPrompt, defaults.SequencesPerPrompt);
        if (options.EarlyStopping != defaults.EarlyStopping)
            json["early_stopping"] = options.EarlyStopping == EarlyStopping.Never ? JsonValue.Create("never") : JsonValue.Create(true);
        if (options.StopStrings.Count > 0)
            json["stop_strings"] = new JsonArray([.. options.StopStrings.Select(text => (JsonNode)text)]);
        return json;

        void Add<T>(string name, T value, T missing)
        {
            if (!EqualityComparer<T>.Default.Equals(value, missing))
                json[name] = JsonValue.Create(value);
        }

        void AddId(string name, IReadOnlyList<int>? chosen, int? ofTokenizer)
        {
            if (chosen is not null)
                json[name] = Of(chosen);
            else if (model[name] is { } ofModel)
                json[name] = ofModel.DeepClone();
            else if (ofTokenizer is { } id)
                json[name] = id;
        }
    }

    private static void RefuseUnsupported(JsonElement root, string path, string? supported)
    {
        foreach (var (name, neutral) in s_unsupported)
        {
            if (name != supported && root.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
                && !IsNeutral(value, neutral))
            {
                throw new NotSupportedException(
                    $"{path}: {name} is {value.GetRawText()}; supported is {neutral}. Remove the entry and set the options that you want.");
            }
        }

        static bool IsNeutral(JsonElement value, string neutral) => value.ValueKind == JsonValueKind.Number
            ? neutral is "0" or "1" && value.TryGetDouble(out var number) && number == (neutral == "0" ? 0 : 1)
            : value.GetRawText() == neutral;
    }

    /// <summary>Whether lengths of an older file, which count what the decoder begins with, count one token more than is new.</summary>
    private static bool HasEncoder(string folder) => FileOnDisk.Exists(Path.Combine(folder, ModelConfigurationFile.FileName))
        && ModelConfigurationFile.Read(folder)["is_encoder_decoder"] is JsonValue value && value.TryGetValue(out bool flag) && flag;

    private static GenerationOptions Convert(JsonElement root, bool hasEncoder)
    {
        var defaults = new GenerationOptions();
        if (hasEncoder)
        {
            defaults = defaults with
            {
                MaximumNewTokens = Get("max_length", defaults.MaximumNewTokens + 1, value => value.GetInt32()) - 1,
                MinimumNewTokens = Math.Max(0, Get("min_length", 1, value => value.GetInt32()) - 1),
            };
        }

        return new GenerationOptions
        {
            MaximumNewTokens = Get("max_new_tokens", defaults.MaximumNewTokens, value => value.GetInt32()),
            MinimumNewTokens = Get("min_new_tokens", defaults.MinimumNewTokens, value => value.GetInt32()),
            Sample = Get("do_sample", defaults.Sample, value => value.GetBoolean()),
            Temperature = Get("temperature", defaults.Temperature, value => value.GetDouble()),
            TopK = Get("top_k", defaults.TopK, value => value.GetInt32()),
            TopP = Get("top_p", defaults.TopP, value => value.GetDouble()),
            MinP = Get("min_p", defaults.MinP, value => value.GetDouble()),
            TypicalP = Get("typical_p", defaults.TypicalP, value => value.GetDouble()),
            RepetitionPenalty = Get("repetition_penalty", defaults.RepetitionPenalty, value => value.GetDouble()),
            NoRepeatNgramSize = Get("no_repeat_ngram_size", defaults.NoRepeatNgramSize, value => value.GetInt32()),
            BeamCount = Get("num_beams", defaults.BeamCount, value => value.GetInt32()),
            LengthPenalty = Get("length_penalty", defaults.LengthPenalty, value => value.GetDouble()),
            EarlyStopping = Get("early_stopping", defaults.EarlyStopping, ToEarlyStopping),
            SequencesPerPrompt = Get("num_return_sequences", defaults.SequencesPerPrompt, value => value.GetInt32()),
            StopStrings = Get("stop_strings", defaults.StopStrings, value => ToList(value, item => item.GetString()!)),
            EndOfSequenceIds = Get<IReadOnlyList<int>?>("eos_token_id", null, value => ToList(value, item => item.GetInt32())),
        };

        T Get<T>(string name, T missing, Func<JsonElement, T> convert)
        {
            if (root.ValueKind != JsonValueKind.Object)
                throw new FormatException("the content is not a JSON object.");
            if (!root.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
                return missing;
            try
            {
                return convert(value);
            }
            catch (Exception exception) when (exception is FormatException or InvalidOperationException)
            {
                throw new FormatException($"{name} is {value.GetRawText()}, which is no value for it.", exception);
            }
        }
    }

    private static EarlyStopping ToEarlyStopping(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.String && value.ValueEquals("never"))
            return EarlyStopping.Never;
        return value.GetBoolean() ? EarlyStopping.WhenFinished : EarlyStopping.Heuristic;
    }

    private static IReadOnlyList<T> ToList<T>(JsonElement value, Func<JsonElement, T> convert) =>
        value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(convert)] : [convert(value)];
}
