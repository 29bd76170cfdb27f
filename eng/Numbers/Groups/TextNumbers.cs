using System.Globalization;
using Numbers.Data;
using Numbers.Library;
using Numbers.Reports;
using Numbers.Settings;
using static TorchSharp.torch;

namespace Numbers.Groups;

/// <summary>Tokens, logits of passes and of decoding steps, and generated texts.</summary>
internal static class TextNumbers
{
    private const int Steps = 8;

    private static readonly string[] s_prompts = ["The old man looked at the planet", "Once upon a time", "It was", "A"];

    public static void Write(Report report)
    {
        Tokens(report);
        Rows(report);
        Checkpoints(report);
        foreach (var type in (ScalarType[])[ScalarType.Float32, ScalarType.BFloat16])
        {
            Passes(report, $"text/forward/tiny/{Name(type)}", () => LanguageModel.Load(TestData.Tiny, type));
            Passes(report, $"text/forward/tales/{Name(type)}", () => LanguageModel.Load(Files.TalesFolder, type));
            foreach (var (name, configuration) in TestData.Variants)
                Passes(report, $"text/forward/{name}/{Name(type)}", () => LanguageModel.Create(configuration, type));
        }

        foreach (var format in (string[])["float32", "bfloat16", "int8"])
        {
            Decode(report, $"text/decode/tiny/{format}", () => InFormat(type => LanguageModel.Load(TestData.Tiny, type), format));
            Decode(report, $"text/decode/tales/{format}", () => InFormat(type => LanguageModel.Load(Files.TalesFolder, type), format));
            foreach (var (name, configuration) in TestData.Variants)
                Decode(report, $"text/decode/{name}/{format}", () => InFormat(type => LanguageModel.Create(configuration, type), format));
            if (format != "int8")
                Decode(report, $"text/decode/tiny_adapters/{format}",
                    () => Adapted(InFormat(type => LanguageModel.Load(TestData.Tiny, type), format)));
            Generate(report, $"text/generate/tales/{format}", () => InFormat(type => LanguageModel.Load(Files.TalesFolder, type), format));
            Generate(report, $"text/generate/tiny/{format}", () => InFormat(type => LanguageModel.Load(TestData.Tiny, type), format));
        }

        Generate(report, "text/generate/tiny_adapters/float32", () => Adapted(LanguageModel.Load(TestData.Tiny)));
    }

    /// <summary>Continuations by each way of choosing tokens.</summary>
    public static void Continuations(Report report, string name, Func<Decoding, Continuation[]> generate, bool isShort = false)
    {
        (string Name, Decoding Decoding)[] ways =
        [
            ("greedy", new()),
            ("beam", new() { Beams = 4 }),
            ("sampled", new() { Sample = true, Temperature = 0.8, TopK = 50, TopP = 0.95, Seed = 7 }),
            ("penalized", new() { RepetitionPenalty = 1.3, NoRepeatNgramSize = 2, MinimumNewTokens = 5 }),
            ("beams", new()
            {
                Beams = 3, Sequences = 2, LengthPenalty = 2, NoRepeatNgramSize = 3, EarlyStopping = "WhenFinished", NewTokens = 12,
            }),
            ("beam_never", new() { Beams = 2, LengthPenalty = 0.5, EarlyStopping = "Never", NewTokens = 12 }),
            ("samples", new() { Sample = true, MinP = 0.05, TypicalP = 0.9, Sequences = 3, Seed = 8, BatchSize = 2, NewTokens = 12 }),
            ("plain_samples", new() { Sample = true, Seed = 9, NewTokens = 12 }),
            ("stop", new() { StopStrings = [" the", ".", " Th"] }),
        ];
        foreach (var (way, decoding) in ways.Take(isShort ? 3 : ways.Length))
        {
            report.Case($"{name}/{way}", () =>
            {
                var texts = generate(decoding);
                report.Ids($"{name}/{way}/ids", texts.SelectMany(text => text.Ids));
                report.Numbers($"{name}/{way}/log_probabilities",
                    texts.SelectMany(text => text.LogProbabilities.Append(text.Score ?? float.NaN)));
                report.Text($"{name}/{way}/text", string.Join('\n', texts.Select(text => text.Text + "\n" + text.Reason)));
            });
        }
    }

    private static void Tokens(Report report)
    {
        foreach (var (name, folder) in ((string, string)[])[("tales", Files.TalesFolder), ("tiny", TestData.Tiny)])
        {
            report.Case($"text/tokens/{name}", () =>
            {
                var text = TestData.Mars + "\n\n\tTabs,  spaces and émigrés; 12345 — 火星 \U0001F680 don't  <|endoftext|> end.";
                var ids = Tokenizers.Encode(folder, text);
                report.Ids($"text/tokens/{name}/ids", ids);
                report.Text($"text/tokens/{name}/text", Tokenizers.Decode(folder, ids));
                report.Same($"text/tokens/{name}/round_trip", text, Tokenizers.Decode(folder, ids));
                var (batch, mask) = Tokenizers.EncodeBatch(folder, [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Take(9)]);
                report.Ids($"text/tokens/{name}/batch", batch.Concat(mask).Select(id => (int)id));
            });
        }
    }

    /// <summary>Training rows of token ids.</summary>
    private static void Rows(Report report) => report.Case("text/rows", () =>
    {
        var ids = Tokenizers.Encode(Files.TalesFolder, TestData.Mars);
        Add("blocks", RowMaker.Blocks(ids, 100));
        Add("document", RowMaker.Document(ids, 99));
        Add("packed", RowMaker.Pack(TestData.Rows(20, 3), 48));
        Add("completions",
            [.. TestData.Rows(20, 4).Zip(TestData.Rows(20, 5)).Select(pair => RowMaker.Completion(pair.First.Ids, pair.Second.Ids, 18))]);

        void Add(string name, TextRow[] rows) => report.Ids(
            $"text/rows/{name}", rows.SelectMany(row => (int[])[row.Ids.Length, .. row.Ids, .. row.Labels, .. row.Sequences ?? [-1]]));
    });

    /// <summary>Files that are read, in each layout, and written.</summary>
    private static void Checkpoints(Report report)
    {
        foreach (var name in (string[])["model", "bf16", "fp16", "sharded", "pickled"])
        {
            report.Case($"text/checkpoint/read/{name}", () =>
            {
                var folder = name == "model" ? TestData.Tiny : Path.Combine(TestData.Tiny, name);
                if (name == "pickled")
                    File.Copy(Path.Combine(TestData.Tiny, "pytorch_model.bin"),
                        Path.Combine(folder = Scratch.Folder(), "pytorch_model.bin"));
                report.Tensors($"text/checkpoint/read/{name}", Files.ReadCheckpoint(folder).Select(t => (t.Key, t.Value)));
            });
        }

        foreach (var type in (ScalarType?[])[null, ScalarType.Float16, ScalarType.BFloat16])
        {
            report.Case($"text/checkpoint/saved/{type}", () =>
            {
                using var model = LanguageModel.Load(TestData.Tiny);
                var folder = Scratch.Folder();
                model.Save(folder, type);
                report.Folder($"text/checkpoint/saved/{type?.ToString() ?? "same"}", folder);
            });
        }

        report.Case("text/checkpoint/adapters", () =>
        {
            using var model = Adapted(LanguageModel.Load(TestData.Tiny));
            var folder = Scratch.Folder();
            model.SaveAdapters(folder);
            report.Folder("text/checkpoint/adapters", folder);
            model.MergeAdapters();
            report.Tensors("text/checkpoint/merged", model.Weights);
        });
        report.Case("text/checkpoint/merged_reference", () =>
        {
            using var model = LanguageModel.Load(TestData.Tiny);
            model.LoadAdapters(TestData.File("gpt2-tiny/lora_end"));
            report.Tensor("text/checkpoint/adapters_reference_logits", Logits(model));
            model.MergeAdapters();
            report.Tensors("text/checkpoint/merged_reference", model.Weights);
            report.Tensor("text/checkpoint/merged_reference_logits", Logits(model));

            Tensor Logits(LanguageModel model)
            {
                using var gradients = no_grad();
                return model.Forward(Ids(model, 2, 12));
            }
        });
    }

    /// <summary>Logits of whole passes.</summary>
    private static void Passes(Report report, string name, Func<LanguageModel> load)
    {
        const int rows = 3, length = 12;
        report.Case(name, () =>
        {
            using var gradients = no_grad();
            using var model = load();
            var ids = Ids(model, rows, length);
            report.Tensor($"{name}/plain", model.Forward(ids));

            var mask = ones(rows, length, ScalarType.Int64);
            mask[0, ..3] = 0;
            mask[2, ..5] = 0;
            report.Tensor($"{name}/left_padding", model.Forward(ids, mask, Positions(mask)));
            mask[0, 6] = 0;
            mask[1, 10..] = 0;
            report.Tensor($"{name}/holes", model.Forward(ids, mask, Positions(mask)));

            var sequences = zeros(rows, length, ScalarType.Int64);
            sequences[0, 4..] = 1;
            sequences[0, 9..] = 2;
            sequences[1, 7..] = 1;
            var positions = arange(length, ScalarType.Int64).expand(rows, length).clone();
            positions[0, 4..] -= 4;
            positions[0, 9..] -= 5;
            positions[1, 7..] -= 7;
            report.Tensor($"{name}/packed", model.Forward(ids, positions: positions, sequences: sequences));

            // Several new positions with past ones, then one row twice, without its first two positions.
            var padding = ones(rows, length, ScalarType.Int64);
            padding[0, ..2] = 0;
            padding[2, ..2] = 0;
            using var cache = model.CreateCache(rows, length + 4);
            report.Tensor($"{name}/past_prompt", model.Forward(ids[.., ..7], padding[.., ..7], Positions(padding)[.., ..7], cache: cache));
            report.Tensor($"{name}/past", model.Forward(ids[.., 7..], padding, Positions(padding)[.., 7..], cache: cache));
            cache.SelectRows(tensor((long[])[2, 0, 2]), 2);
            report.Tensor($"{name}/selected", model.Forward(ids[.., ..2], positions: full([rows, 2], 10L), cache: cache));
        });
        report.Case(name + "/gradients", () =>
        {
            using var model = load();
            report.Tensor($"{name}/gradients_on", model.Forward(Ids(model, 2, 9)));
            model.SetDropout(0.1, 0.1, 0.1);
            model.SetTraining(true);
            manual_seed(5);
            report.Tensor($"{name}/dropout", model.Forward(Ids(model, 2, 9)));
        });
    }

    /// <summary>Logits of steps of one token, after a prompt in one pass and, for one row, from the first token on.</summary>
    private static void Decode(Report report, string name, Func<LanguageModel> load)
    {
        report.Case(name, () =>
        {
            using var gradients = no_grad();
            using var model = load();
            report.Tensor($"{name}/rows1", StepLogits(model, [5], 5));
            report.Tensor($"{name}/rows1_no_prompt", StepLogits(model, [0], 0));
            report.Tensor($"{name}/rows3", StepLogits(model, [6, 4, 1], 6));
            report.Tensor($"{name}/rows20", StepLogits(model, [.. Enumerable.Range(0, 20).Select(row => 6 - row % 5)], 6));
        });
    }

    /// <param name="model">Any.</param>
    /// <param name="lengths">Tokens of each row's prompt, which is padded on the left.</param>
    /// <param name="prompt">The longest.</param>
    private static Tensor StepLogits(LanguageModel model, int[] lengths, int prompt)
    {
        var rows = lengths.Length;
        var ids = Ids(model, rows, prompt + Steps);
        var isPadded = lengths.Any(length => length < prompt);
        var mask = ones(rows, prompt + Steps, ScalarType.Int64);
        for (var row = 0; row < rows; row++)
        {
            if (lengths[row] < prompt)
                mask[row, ..(prompt - lengths[row])] = 0;
        }

        var positions = Positions(mask);
        using var cache = model.CreateCache(rows, prompt + Steps);
        var logits = new List<Tensor>();
        for (var (start, end) = (0, Math.Max(1, prompt)); start < prompt + Steps; (start, end) = (end, end + 1))
        {
            logits.Add(model.Forward(
                ids[.., start..end], isPadded ? mask[.., ..end] : null, isPadded ? positions[.., start..end] : null, cache: cache));
        }

        return cat(logits.Select(step => step.to(ScalarType.Float32)).ToList(), 1);
    }

    private static void Generate(Report report, string name, Func<LanguageModel> load) => report.Case(name, () =>
    {
        using var model = load();
        Continuations(report, name, decoding => model.Generate(s_prompts, decoding));
        Continuations(report, name + "/single", decoding => model.Generate([s_prompts[0]], decoding), isShort: true);
        report.Case($"{name}/long_prompt", () =>
        {
            // Longer than the context: the window slides.
            var texts = model.Generate([TestData.Mars[..3000]], new Decoding { NewTokens = 40 });
            report.Ids($"{name}/long_prompt/ids", texts[0].Ids);
            report.Numbers($"{name}/long_prompt/log_probabilities", texts[0].LogProbabilities);
        });
        report.Case($"{name}/stream", () => report.Text(
            $"{name}/stream", string.Join('|', model.Stream(s_prompts[1], new Decoding { Sample = true, Seed = 3, StopStrings = ["."] }))));
    });

    private static LanguageModel InFormat(Func<ScalarType, LanguageModel> load, string format)
    {
        var model = load(format == "bfloat16" ? ScalarType.BFloat16 : ScalarType.Float32);
        if (format == "int8")
            model.Quantize();
        return model;
    }

    /// <summary>A model with adapters that change something.</summary>
    public static LanguageModel Adapted(LanguageModel model)
    {
        manual_seed(4);
        model.Attach(new Adapters(3, 0, "all-linear") { RankStabilized = true });
        Randomize(model);
        return model;
    }

    /// <summary>Draws everything that training would change.</summary>
    public static void Randomize(LanguageModel model)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        manual_seed(6);
        foreach (var (_, tensor) in model.TrainableWeights.OrderBy(weight => weight.Name, StringComparer.Ordinal).ToList())
            tensor.copy_(randn(tensor.shape) * 0.1);
    }

    private static string Name(ScalarType type) => type.ToString().ToLower(CultureInfo.InvariantCulture);

    private static Tensor Ids(LanguageModel model, int rows, int length) =>
        tensor(Enumerable.Range(0, rows * length).Select(i => i * 37L % Math.Min(model.VocabularySize, 197)).ToArray()).view(rows, length);

    private static Tensor Positions(Tensor mask) => (mask.cumsum(1) - 1).clamp(0).to(ScalarType.Int64);
}
