using FsCheck.Xunit;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Tests.Generation.Infilling;
using MLTransfer.Torch.Tests.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using Xunit;

namespace MLTransfer.Torch.Tests.Training;

public sealed class TokenMaskingTests
{
    private static readonly Dictionary<string, TextTokenizer> s_tokenizers =
        TinyInfiller.Folders.Select(row => (string)row.Data)
            .ToDictionary(name => name, name => TextTokenizer.Load(FamilyFolders.PathOf(name)));

    private static readonly string[] s_texts =
    [
        "The warriors had raised themselves upon the huge green throats, and I knew that they were ready.",
        "It was all Greek to me, but the more I begged her to explain the more she laughed.",
        "Tars Tarkas and the chief exchanged a few words.", "In this instance I was positive that Powell had gone into the hills.",
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Property(MaxTest = 60)]
    public void A_share_of_the_ordinary_tokens_is_predicted_and_no_special_one(ushort seed, byte size, bool roberta)
    {
        var tokenizer = s_tokenizers[roberta ? "roberta-tiny" : "bert-tiny"];
        var random = new SplitMix64(seed);
        var row = RandomRow(tokenizer, ref random, 1 + size % 60);
        var share = 0.01 + 0.99 * random.NextDouble();
        var draws = new SplitMix64(seed);
        var masked = new TokenMasking(tokenizer, new() { Share = share }).Corrupt(new TrainingExample(row, row), ref draws);

        var ordinary = row.Count(id => !tokenizer.SpecialTokenIds.Contains(id));
        if (ordinary == 0)
        {
            Assert.Null(masked);
            return;
        }

        Assert.Equal(Math.Max(1, (int)Math.Round(share * ordinary)), masked!.PredictedTokens);
        for (var i = 0; i < row.Length; i++)
        {
            if (masked.Labels[i] == TrainingExample.Ignored)
            {
                Assert.Equal(row[i], masked.InputIds[i]);
                continue;
            }

            Assert.Equal(row[i], masked.Labels[i]);
            Assert.DoesNotContain(row[i], tokenizer.SpecialTokenIds);
            Assert.True(masked.InputIds[i] == tokenizer.MaskId || !tokenizer.SpecialTokenIds.Contains(masked.InputIds[i]));
        }
    }

    [Property(MaxTest = 60)]
    public void Whole_words_are_hidden_or_none_of_their_tokens(ushort seed, byte size, bool roberta)
    {
        var tokenizer = s_tokenizers[roberta ? "roberta-tiny" : "distilbert-tiny"];
        var random = new SplitMix64(seed);
        var row = RandomRow(tokenizer, ref random, 1 + size % 60);
        var words = tokenizer.Words.WordsOf(row);
        var share = 0.1 + 0.4 * random.NextDouble();
        var masked =
            new TokenMasking(tokenizer, new() { Share = share, WholeWords = true }).Corrupt(new TrainingExample(row, row), ref random);
        if (words.Count == 0)
        {
            Assert.Null(masked);
            return;
        }

        var hidden = 0;
        foreach (var word in words)
        {
            var labels = masked!.Labels[word];
            Assert.True(labels.All(label => label == TrainingExample.Ignored) || !labels.Contains(TrainingExample.Ignored));
            hidden += labels.Contains(TrainingExample.Ignored) ? 0 : 1;
        }

        // More than the share only where the first word alone is longer.
        Assert.True(
            hidden == 1 || masked!.PredictedTokens <= Math.Round(share * words.Sum(word => word.End.Value - word.Start.Value)));
        Assert.True(hidden > 0);
    }

    [Fact]
    public void Of_the_chosen_tokens_four_fifths_are_masked_a_tenth_random_and_a_tenth_kept()
    {
        var tokenizer = s_tokenizers["bert-tiny"];
        int[] row = [.. Enumerable.Repeat(tokenizer.TokenToId("warriors")!.Value, 64)];
        var masking = new TokenMasking(tokenizer);
        var (masks, kept, random) = (0, 0, new HashSet<int>());
        const int Rows = 2000;
        for (var i = 0; i < Rows; i++)
        {
            var draws = new SplitMix64((ulong)i);
            var masked = masking.Corrupt(new TrainingExample(row, row), ref draws)!;
            foreach (var id in masked.InputIds.Where((_, position) => masked.Labels[position] != TrainingExample.Ignored))
            {
                masks += id == tokenizer.MaskId ? 1 : 0;
                kept += id == row[0] ? 1 : 0;
                random.Add(id);
            }
        }

        double chosen = Rows * 10; // 15 % of 64, rounded
        Assert.Equal(0.8, masks / chosen, 0.01);
        Assert.Equal(0.1, kept / chosen, 0.01);
        Assert.True(random.Count > 0.8 * tokenizer.VocabularySize);

        var draw = new SplitMix64(1);
        var plain = new TokenMasking(tokenizer, new() { RandomShare = 0, KeptShare = 0, Share = 1 })
            .Corrupt(new TrainingExample(row, row), ref draw)!;
        Assert.All(plain.InputIds, id => Assert.Equal(tokenizer.MaskId, id));
    }

    [Fact]
    public void Rows_are_masked_by_seed_epoch_and_row_alone()
    {
        using var model = (MaskedLanguageModel)FamilyFolders.Load("bert-tiny");
        var tokenizer = s_tokenizers["bert-tiny"];
        var first = Rows(seed: 1);
        var same = Rows(seed: 1);
        var other = Rows(seed: 2);
        for (var row = 0; row < s_texts.Length; row++)
        {
            Assert.Equal(first.Training(row, 0).InputIds, same.Training(row, 0).InputIds);
            Assert.Equal(first.Training(row, 0).Labels, first.Training(row, first.Schedule.StepsPerEpoch - 1).Labels);
            Assert.Equal(first.Validation[row].InputIds, same.Validation[row].InputIds);
        }

        var all = Enumerable.Range(0, s_texts.Length).ToList();
        Assert.Contains(all, row => !first.Training(row, 0).Labels.SequenceEqual(first.Training(row, first.Schedule.StepsPerEpoch).Labels));
        Assert.Contains(all, row => !first.Training(row, 0).Labels.SequenceEqual(other.Training(row, 0).Labels));

        LanguageRows Rows(long seed) => new(
            model, new LanguageTrainingOptions { Seed = seed, BatchSize = 2 }, PlainRows(tokenizer), PlainRows(tokenizer),
            new TokenMasking(tokenizer));
    }

    [Theory]
    [MemberData(nameof(TinyInfiller.Folders), MemberType = typeof(TinyInfiller))]
    public void Training_on_masked_rows_makes_the_model_predict_what_is_hidden(string folder)
    {
        using var tiny = new TinyInfiller(folder);
        var rows = PlainRows(tiny.Tokenizer);
        var before = tiny.Infiller.Evaluate(s_texts, cancellationToken: Cancellation);
        var options = new LanguageTrainingOptions
        {
            MaximumSteps = 60, BatchSize = 4, LearningRate = 1e-2, Precision = Precision.Float32, Seed = 3,
        };
        var result = new LanguageModelTrainer(
            tiny.Model, options, rows, rows, tiny.Tokenizer, new TokenMasking(tiny.Tokenizer, new() { WholeWords = true })).Train(
                cancellationToken: Cancellation);
        var after = tiny.Infiller.Evaluate(s_texts, cancellationToken: Cancellation);
        Assert.True(result.ValidationLoss < 0.7 * result.InitialValidationLoss, $"{result.InitialValidationLoss} {result.ValidationLoss}");
        Assert.True(after.Loss < 0.7 * before.Loss && after.Accuracy >= before.Accuracy, $"{before} {after}");
    }

    [Fact]
    public void A_run_that_is_interrupted_goes_on_with_the_same_masks()
    {
        using var folder = new TemporaryFolder();
        var whole = Train(resume: false, cancelledAt: 0);
        Directory.Delete(folder["run"], recursive: true);
        Assert.Throws<OperationCanceledException>(() => Train(resume: false, cancelledAt: 5));
        var resumed = Train(resume: true, cancelledAt: 0);
        Assert.All(whole, weight => Assert.True(weight.Value.AsSpan().SequenceEqual(resumed[weight.Key]), weight.Key));

        // Another masking makes other rows: not the run that was begun.
        Assert.Throws<InvalidDataException>(() => Train(resume: true, cancelledAt: 0, share: 0.3));

        IReadOnlyDictionary<string, byte[]> Train(bool resume, int cancelledAt, double share = 0.15)
        {
            using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            using var tiny = new TinyInfiller("distilbert-tiny");
            var options = new LanguageTrainingOptions
            {
                MaximumSteps = 7, BatchSize = 2, Precision = Precision.Float32, OutputDirectory = folder["run"], CheckpointSteps = 3,
                Resume = resume, LearningRate = 1e-3,
            };
            var progress = new ProgressCallback(report =>
            {
                if (report.Step == cancelledAt)
                    cancellation.Cancel();
            });
            new LanguageModelTrainer(
                tiny.Model, options, PlainRows(tiny.Tokenizer), null, tiny.Tokenizer,
                    new TokenMasking(tiny.Tokenizer, new() { Share = share }))
                .Train(progress, cancellation.Token);
            return WeightBytes.Of(tiny.Model);
        }
    }

    [Fact]
    public void Shares_out_of_range_and_tokenizers_without_a_mask_are_refused_by_name()
    {
        var tokenizer = s_tokenizers["bert-tiny"];
        foreach (var (options, name) in (IEnumerable<(MaskingOptions, string)>)
        [
            (new() { Share = 0 }, "Share"), (new() { Share = 1.1 }, "Share"), (new() { RandomShare = -0.1 }, "RandomShare"),
            (new() { KeptShare = 0.95 }, "KeptShare"),
        ])
        {
            Assert.Contains(
                name, Assert.Throws<ArgumentOutOfRangeException>(() => new TokenMasking(tokenizer, options)).Message,
                StringComparison.Ordinal);
        }

        Assert.Throws<ArgumentException>(() => new TokenMasking(TextTokenizer.Load(RepositoryFiles.Data("gpt2-tiny"))));
    }

    private static List<TrainingExample> PlainRows(TextTokenizer tokenizer) =>
    [
        .. s_texts.Select(text => tokenizer.Encode(text)).Select(ids => ids.AsSpan(0, Math.Min(ids.Length, 40)).ToArray())
            .Select(ids => new TrainingExample(ids, ids)),
    ];

    private static int[] RandomRow(TextTokenizer tokenizer, ref SplitMix64 random, int length)
    {
        var row = new int[length];
        foreach (ref var id in row.AsSpan())
            id = random.NextDouble() < 0.1 ? (int)(5 * random.NextDouble()) : (int)(tokenizer.VocabularySize * random.NextDouble());
        return row;
    }
}
