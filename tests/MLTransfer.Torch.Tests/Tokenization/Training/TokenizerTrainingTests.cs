using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using MLTransfer.Torch.Tokenization;
using Tokenizers.DotNet;
using Xunit;

namespace MLTransfer.Torch.Tests.Tokenization.Training;

public sealed class TokenizerTrainingTests
{
    private static readonly string[] s_lines = TokenizerData.Excerpt.Split('\n');

    private static readonly TextTokenizer s_byteLevel = TextTokenizer.Train(s_lines, new() { VocabularySize = 500 });

    public static TheoryData<TokenizerKind> Kinds => [.. Enum.GetValues<TokenizerKind>()];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void The_vocabulary_has_the_size_asked_for_and_saves_more_than_it_costs(TokenizerKind kind)
    {
        TextTokenizer tokenizer = TextTokenizer.Train(s_lines, new() { Kind = kind, VocabularySize = 600, MinimumFrequency = 1 });

        Assert.Equal(600, tokenizer.VocabularySize);
        int tokens = s_lines.Sum(line => tokenizer.Encode(line, addSpecialTokens: false).Length);
        Assert.True(s_lines.Sum(line => line.Length) > 2.5 * tokens, $"{tokens} tokens");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void The_same_texts_give_the_same_files_in_whatever_order_they_come(TokenizerKind kind)
    {
        var options = new TokenizerTrainingOptions { Kind = kind, VocabularySize = 600 };

        TextTokenizer first = TextTokenizer.Train(s_lines, options);
        TextTokenizer second = TextTokenizer.Train(s_lines.Reverse(), options);

        Assert.All(first.Files, file => Assert.Equal(file.Value, second.Files[file.Key]));
        Assert.Equal(["tokenizer.json", "tokenizer_config.json"], first.Files.Keys.Order());
    }

    [Fact]
    public void Words_are_the_most_frequent_ones_and_the_first_of_equals_as_by_the_reference_trainer()
    {
        string[] expected =
            [.. TokenizerData.Read("tokenization/trained.json").GetProperty("words").EnumerateArray().Select(word => word.GetString()!)];

        TextTokenizer tokenizer = TextTokenizer.Train(s_lines, new()
        {
            Kind = TokenizerKind.WordLevel,
            VocabularySize = expected.Length + 1,
            MinimumFrequency = 1,
            SpecialTokens = new() { Unknown = "<unk>" },
        });

        Assert.Equal(["<unk>", .. expected], Enumerable.Range(0, expected.Length + 1).Select(tokenizer.IdToToken));
    }

    [Fact]
    public void Words_in_the_order_of_code_points_and_not_of_units()
    {
        TextTokenizer tokenizer = TextTokenizer.Train(
            ["𝒜 \uFF21 a", "𝒜 \uFF21 a"],
                new() { Kind = TokenizerKind.WordLevel, VocabularySize = 100, SpecialTokens = new() { Unknown = "?" } });

        Assert.Equal(["?", "a", "\uFF21", "𝒜"], Enumerable.Range(0, 4).Select(tokenizer.IdToToken));
    }

    [Property(MaxTest = 300)]
    public Property Byte_level_tokens_give_any_text_back(NonNull<string> text)
    {
        string valid = new(text.Get.Select(unit => char.IsSurrogate(unit) ? '\uFFFD' : unit).ToArray());
        return (s_byteLevel.Decode(s_byteLevel.Encode(valid)) == valid).ToProperty();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void The_reference_engine_reads_the_saved_tokenizer_to_the_same_ids(TokenizerKind kind)
    {
        Assert.SkipUnless(
            OperatingSystem.IsLinux() && RuntimeInformation.OSArchitecture == Architecture.X64,
            "The engine is there for Linux on x64.");
        using var folder = new TemporaryFolder();
        foreach (TextNormalization normalization in Enum.GetValues<TextNormalization>())
        {
            foreach ((bool lowercases, bool? stripsAccents) in ((bool, bool?)[])[(false, true), (true, null)])
            {
                TextTokenizer trained = TextTokenizer.Train(s_lines.Take(12), new()
                {
                    Kind = kind,
                    VocabularySize = 500,
                    Normalization = normalization,
                    Lowercases = lowercases,
                    StripsAccents = stripsAccents,
                    SpecialTokens = SpecialTokens.Of(kind) with { Additional = ["<|turn|>"] },
                });
                trained.Save(folder["saved"]);
                TextTokenizer loaded = TextTokenizer.Load(folder["saved"]);
                var engine = new Tokenizer(folder["saved/tokenizer.json"]);
                foreach (string text in (
                    string[])[s_lines[0], "Ünïcode ﬁne 12!", " a  b\u00A0", "<|turn|>Mars<|endoftext|></s>[SEP]", "日本 𝒜 '",
                        "\u0001x\u200B"])
                {
                    int[] expected = [.. engine.Encode(text).Select(id => (int)id)];
                    Assert.Equal(expected, trained.Encode(text));
                    Assert.Equal(expected, loaded.Encode(text));
                    Assert.Equal(engine.Decode([.. expected.Select(id => (uint)id)]), loaded.Decode(expected, skipSpecialTokens: true));
                }
            }
        }
    }

    [Fact]
    public void Special_tokens_have_the_first_ids_and_their_roles()
    {
        TextTokenizer byteLevel = s_byteLevel;
        TextTokenizer wordPiece = TextTokenizer.Train(s_lines, new() { Kind = TokenizerKind.WordPiece, VocabularySize = 300 });
        TextTokenizer unigram = TextTokenizer.Train(
            s_lines,
            new() { Kind = TokenizerKind.Unigram, VocabularySize = 300, SpecialTokens =
                SpecialTokens.Of(TokenizerKind.Unigram) with { Padding = "<pad>" } });

        Assert.Equal((0, 0, (int?)null, (int?)null),
            (byteLevel.BeginningOfSequenceId, byteLevel.EndOfSequenceId, byteLevel.UnknownId, byteLevel.PaddingId));
        Assert.Equal(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], Enumerable.Range(0, 5).Select(wordPiece.IdToToken));
        Assert.Equal((0, 1), (wordPiece.PaddingId, wordPiece.UnknownId));
        int[] ids = wordPiece.Encode("old man [MASK]");
        Assert.Equal(
            ("[CLS]", "[MASK]", "[SEP]"), (wordPiece.IdToToken(ids[0]), wordPiece.IdToToken(ids[^2]), wordPiece.IdToToken(ids[^1])));
        Assert.Equal((0, 1, 2, 3), (unigram.PaddingId, unigram.UnknownId, unigram.BeginningOfSequenceId, unigram.EndOfSequenceId));
        Assert.Equal("old man", wordPiece.Decode(wordPiece.Encode("old man [MASK]"), skipSpecialTokens: true));
    }

    [Fact]
    public void Nothing_is_learned_from_the_text_of_special_tokens()
    {
        string[] texts = ["a<|endoftext|>b", "a<|endoftext|>b"];

        TextTokenizer tokenizer = TextTokenizer.Train(texts, new() { VocabularySize = 400 });

        Assert.Equal(257, tokenizer.VocabularySize);
        Assert.Equal(["a", "<|endoftext|>", "b"], tokenizer.Encode(texts[0]).Select(tokenizer.IdToToken));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void What_is_seen_less_often_becomes_no_token(TokenizerKind kind)
    {
        var texts = new List<string>([.. Enumerable.Repeat("often", 3), .. Enumerable.Repeat("seldom", 2)]);

        TextTokenizer tokenizer = TextTokenizer.Train(texts, new() { Kind = kind, VocabularySize = 500, MinimumFrequency = 3 });

        Assert.True(tokenizer.TokenToId("often") is not null || tokenizer.TokenToId("▁often") is not null);
        Assert.All(Enumerable.Range(0, tokenizer.VocabularySize).Select(tokenizer.IdToToken), token =>
            Assert.DoesNotContain("seldom", token, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(TokenizerKind.ByteLevelBytePairs)]
    [InlineData(TokenizerKind.Unigram)]
    [InlineData(TokenizerKind.WordPiece)]
    public void No_token_is_longer_than_the_limit(TokenizerKind kind)
    {
        TextTokenizer tokenizer = TextTokenizer.Train(s_lines, new() { Kind = kind, VocabularySize = 1000, MaximumTokenLength = 3 });

        Assert.Equal(3, Enumerable.Range(5, tokenizer.VocabularySize - 5).Max(id =>
            tokenizer.IdToToken(id).Replace("##", "", StringComparison.Ordinal).Length));
    }

    [Fact]
    public void Lower_case_and_accents_are_as_asked_for()
    {
        var options =
            new TokenizerTrainingOptions { Kind = TokenizerKind.WordLevel, Lowercases = true, StripsAccents = true, MinimumFrequency = 1 };

        TextTokenizer tokenizer = TextTokenizer.Train(["Élan Vital"], options);

        Assert.Equal(["elan", "vital"], tokenizer.Encode("ÉLAN vital").Select(tokenizer.IdToToken));
    }

    [Fact]
    public void The_longest_text_of_the_model_is_in_the_files()
    {
        TextTokenizer tokenizer = TextTokenizer.Train(s_lines, new() { VocabularySize = 300, ModelMaximumLength = 512 });

        Assert.Equal((512, int.MaxValue), (tokenizer.ModelMaximumLength, s_byteLevel.ModelMaximumLength));
    }

    public static TheoryData<TokenizerTrainingOptions, string> Unusable => new()
    {
        { new() { Kind = (TokenizerKind)9 }, "Kind must be one of ByteLevelBytePairs, Unigram, WordPiece, WordLevel" },
        { new() { Normalization = (TextNormalization)9 }, "Normalization must be one of None" },
        { new() { VocabularySize = 256 }, "VocabularySize must be at least 257 (1 special tokens and the 256 bytes)" },
        { new() { VocabularySize = 1 << 23 }, "VocabularySize must be at most" },
        { new() { MinimumFrequency = 0 }, "MinimumFrequency must be at least 1" },
        { new() { MaximumTokenLength = 0 }, "MaximumTokenLength must be at least 1" },
        { new() { MaximumAlphabetSize = 0 }, "MaximumAlphabetSize must be at least 1" },
        { new() { ModelMaximumLength = 0 }, "ModelMaximumLength must be at least 1" },
        { new() { SpecialTokens = new() { Padding = " " } }, "SpecialTokens has a token that is null or blank" },
        { new() { Kind = TokenizerKind.Unigram, SpecialTokens = new() }, "SpecialTokens.Unknown is null, but Unigram needs a token" },
        {
            new() { Kind = TokenizerKind.WordPiece, SpecialTokens = new() { Unknown = "?", Separator = "|" } },
            "SpecialTokens has one of Classification and Separator"
        },
    };

    [Theory]
    [MemberData(nameof(Unusable))]
    public void Options_that_cannot_be_used_are_refused_by_name_before_texts_are_read(TokenizerTrainingOptions options, string message)
    {
        IEnumerable<string> unread = Enumerable.Range(0, 1).Select<int,
            string>(_ => throw new InvalidOperationException("The texts are read."));

        Assert.Contains(
            message, Assert.ThrowsAny<ArgumentException>(() => TextTokenizer.Train(unread, options)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TokenizerKind.WordPiece)]
    [InlineData(TokenizerKind.Unigram)]
    public void More_characters_than_tokens_are_refused_with_the_remedy(TokenizerKind kind)
    {
        var options = new TokenizerTrainingOptions { Kind = kind, VocabularySize = 20 };

        string message = Assert.Throws<ArgumentException>(() => TextTokenizer.Train(s_lines, options)).Message;

        Assert.Contains("VocabularySize is 20", message, StringComparison.Ordinal);
        Assert.Contains("MaximumAlphabetSize", message, StringComparison.Ordinal);
        Assert.True(TextTokenizer.Train(s_lines, options with { MaximumAlphabetSize = 6 }).VocabularySize <= 20);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Texts_without_a_word_are_refused(TokenizerKind kind) => Assert.Contains(
        "none of the 2 texts has a word",
        Assert.Throws<ArgumentException>(() => TextTokenizer.Train(["", ""], new() { Kind = kind })).Message, StringComparison.Ordinal);

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Training_stops_when_it_is_cancelled_and_tells_how_far_it_has_come(TokenizerKind kind)
    {
        using var cancellation = new CancellationTokenSource();
        var told = new List<TokenizerTrainingProgress>();
        var progress = new Reports(report =>
        {
            told.Add(report);
            if (report.Stage != TokenizerTrainingStage.Reading || kind == TokenizerKind.WordLevel && report.Done > 0)
                cancellation.Cancel();
        });

        Assert.Throws<OperationCanceledException>(() => TextTokenizer.Train(
            Enumerable.Repeat(s_lines, 50).SelectMany(lines => lines), new() { Kind = kind, VocabularySize = 700 }, progress,
                cancellation.Token));

        Assert.Equal(new TokenizerTrainingProgress(TokenizerTrainingStage.Reading, 0, null), told[0]);
        Assert.Contains(told, report => report.Stage == TokenizerTrainingStage.Reading && report.Done >= 1024);
        if (kind != TokenizerKind.WordLevel)
            Assert.Equal(kind == TokenizerKind.Unigram ? TokenizerTrainingStage.Pruning : TokenizerTrainingStage.Joining, told[^1].Stage);
    }

    [Fact]
    public void Texts_are_read_once_and_not_kept()
    {
        var read = new List<WeakReference>();
        int kept = -1;
        IEnumerable<string> Many()
        {
            while (read.Count < 2_000)
                yield return Make(read);
            GC.Collect();
            kept = read.Count(text => text.IsAlive);
        }

        TextTokenizer.Train(Many(), new() { VocabularySize = 300 });

        Assert.Equal(2_000, read.Count);
        Assert.InRange(kept, 0, 10);

        [MethodImpl(MethodImplOptions.NoInlining)]
        static string Make(List<WeakReference> made)
        {
            string text = $"the old king {made.Count}";
            made.Add(new WeakReference(text));
            return text;
        }
    }

    private sealed class Reports(Action<TokenizerTrainingProgress> report) : IProgress<TokenizerTrainingProgress>
    {
        public void Report(TokenizerTrainingProgress value) => report(value);
    }
}
