using System.Text.Json;

namespace MLTransfer.Torch.Generation;

/// <summary>Reads <c>generation_config.json</c>.</summary>
internal static class GenerationConfigurationFile
{
    private const string FileName = "generation_config.json";
    private const long MaximumBytes = 1 << 20;

    public static GenerationOptions Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        var file = new FileInfo(path);
        if (!file.Exists)
            return new GenerationOptions();
        if (file.Length > MaximumBytes)
            throw new InvalidDataException($"{path} has {file.Length} bytes; a generation configuration has at most {MaximumBytes}.");
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            var options = Convert(document.RootElement);
            options.Check();
            return options;
        }
        catch (Exception exception) when (exception is JsonException or FormatException or InvalidOperationException or ArgumentException)
        {
            throw new InvalidDataException($"{path}: {exception.Message}", exception);
        }
    }

    private static GenerationOptions Convert(JsonElement root)
    {
        var defaults = new GenerationOptions();
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
