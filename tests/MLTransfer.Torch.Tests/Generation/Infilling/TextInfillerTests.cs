using MLTransfer.Torch.Generation.Infilling;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tests.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Torch.Tests.Generation.Infilling;

public class TextInfillerTests
{
    private const string Plain = "The warriors had raised themselves upon the huge green throats, and I knew that they were ready.";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(TinyInfiller.Folders), MemberType = typeof(TinyInfiller))]
    public void Texts_in_a_batch_are_filled_as_alone(string folder)
    {
        using var tiny = new TinyInfiller(folder);
        var options = new InfillingOptions { BatchSize = 3 };
        var together = tiny.Infiller.Infill(tiny.Texts, options, Cancellation);
        foreach (var (text, batched) in tiny.Texts.Zip(together))
        {
            var alone = tiny.Infiller.Infill([text], options, Cancellation)[0];
            Assert.Equal(alone.TokenIds, batched.TokenIds);
            Assert.Equal(alone.Order, batched.Order);
            foreach (var (one, other) in alone.Masks.Zip(batched.Masks))
                Assert.Equal(one.Chosen.LogProbability, other.Chosen.LogProbability, 1e-4);
        }
    }

    [Theory]
    [InlineData("As [MASK] delivered the BLOW, Dejah  Thoris", 1, "As ", " delivered the BLOW, Dejah  Thoris")]
    [InlineData("([MASK]) Yes", 1, "(", ") Yes")]
    [InlineData("[MASK] was there", 1, "", " was there")]
    public void What_is_no_mask_stays_to_the_letter(string text, int masks, string before, string after)
    {
        foreach (var folder in TinyInfiller.Folders.Select(row => (string)row.Data))
        {
            using var tiny = new TinyInfiller(folder);
            var filled = tiny.Infiller.Infill([text], null, Cancellation)[0];
            Assert.Equal(masks, filled.Masks.Count);
            Assert.StartsWith(before.TrimEnd(), filled.Text, StringComparison.Ordinal);
            Assert.EndsWith(after, filled.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("MASK", filled.Text, StringComparison.OrdinalIgnoreCase);
            var middle = filled.Text[before.TrimEnd().Length..^after.Length];
            Assert.Equal(filled.Masks[0].Chosen.Text, middle.Trim());
        }
    }

    [Fact]
    public void A_token_that_goes_on_within_a_word_is_joined_and_one_that_begins_a_word_is_not()
    {
        using var tiny = new TinyInfiller("bert-tiny");
        var text = MaskedText.Encode("Upon one [MASK] and [MASK]ing ([MASK]", tiny.Tokenizer, tiny.Tokenizer.RequiredMaskId(), 64);
        text.Fill(text.Masks[0], tiny.Tokenizer.TokenToId("##ould")!.Value);
        text.Fill(text.Masks[1], tiny.Tokenizer.TokenToId("warriors")!.Value);
        text.Fill(text.Masks[2], tiny.Tokenizer.TokenToId("most")!.Value);
        Assert.Equal("Upon oneould and warriorsing (most", new TokenText(tiny.Tokenizer).InPlace(text));

        using var roberta = new TinyInfiller("roberta-tiny");
        text = MaskedText.Encode("Upon one<mask> and <mask>", roberta.Tokenizer, roberta.Tokenizer.RequiredMaskId(), 40);
        text.Fill(text.Masks[0], roberta.Tokenizer.TokenToId("Ġhe")!.Value);
        text.Fill(text.Masks[1], roberta.Tokenizer.TokenToId("ack")!.Value);
        Assert.Equal("Upon one he andack", new TokenText(roberta.Tokenizer).InPlace(text));
    }

    [Fact]
    public void The_common_mask_is_understood_whatever_the_tokenizer_calls_its_own()
    {
        using var tiny = new TinyInfiller("roberta-tiny");
        var own = tiny.Infiller.Infill(["As <mask> delivered the <mask>"], null, Cancellation)[0];
        var common = tiny.Infiller.Infill(["As [MASK] delivered the [MASK]"], null, Cancellation)[0];
        Assert.Equal(2, own.Masks.Count);
        Assert.Equal(own.TokenIds, common.TokenIds);
        Assert.Equal(own.Text, common.Text);
    }

    [Fact]
    public void Texts_without_a_mask_stay_as_they_are()
    {
        using var tiny = new TinyInfiller("bert-tiny");
        var filled = tiny.Infiller.Infill([Plain, "", "It [MASK] all"], new() { TextForm = InfilledTextForm.Decoded }, Cancellation);
        Assert.Equal(Plain, filled[0].Text);
        Assert.Empty(filled[0].Masks);
        Assert.Equal("", filled[1].Text);
        Assert.Single(filled[2].Masks);
    }

    [Theory]
    [MemberData(nameof(TinyInfiller.Folders), MemberType = typeof(TinyInfiller))]
    public void A_share_of_the_words_is_written_anew_by_seed(string folder)
    {
        using var tiny = new TinyInfiller(folder);
        var options = new InfillingOptions { MaskedShare = 0.3, Seed = 4, Order = InfillingOrder.AllAtOnce };
        var given = tiny.Tokenizer.Encode(Plain);
        var words = tiny.Tokenizer.Words.WordsOf(given);
        var filled = tiny.Infiller.Infill([Plain], options, Cancellation)[0];
        var hidden = filled.Masks.Select(mask => mask.Position).ToHashSet();

        var touched = words.Where(word => Enumerable.Range(0, given.Length).Take(word).Any(hidden.Contains)).ToList();
        Assert.Equal((int)Math.Round(0.3 * words.Count), touched.Count);
        Assert.Equal(touched.Sum(word => word.End.Value - word.Start.Value), hidden.Count);
        Assert.All(given.Index().Where(item => !hidden.Contains(item.Index)), item => Assert.Equal(item.Item, filled.TokenIds[item.Index]));
        Assert.DoesNotContain(given.Index().Where(item => hidden.Contains(item.Index)), item =>
            tiny.Tokenizer.SpecialTokenIds.Contains(item.Item));
        Assert.NotEqual(Plain, filled.Text);

        Assert.Equal(filled.Text, tiny.Infiller.Infill(["Other", Plain], options, Cancellation)[1].Text);
        Assert.NotEqual(
            filled.Order, tiny.Infiller.Infill([Plain], options with { Seed = 5 }, Cancellation)[0].Order);
        var own = tiny.Infiller.Infill(["It [MASK] all"], options, Cancellation)[0];
        Assert.Single(own.Masks); // a text with masks has those alone
    }

    [Fact]
    public void Sampling_draws_by_seed_among_the_best_tokens()
    {
        using var tiny = new TinyInfiller("bert-tiny");
        var options = new InfillingOptions { Sample = true, TopK = 8, CandidateCount = 8, Seed = 1 };
        var first = tiny.Infiller.Infill(tiny.Texts, options, Cancellation);
        var again = tiny.Infiller.Infill(tiny.Texts, options, Cancellation);
        var other = tiny.Infiller.Infill(tiny.Texts, options with { Seed = 2 }, Cancellation);
        Assert.Equal(first.Select(text => text.Text), again.Select(text => text.Text));
        Assert.NotEqual(first.Select(text => text.Text), other.Select(text => text.Text));
        Assert.All(first.SelectMany(text => text.Masks), mask => Assert.Contains(mask.Chosen, mask.Candidates));

        var best = tiny.Infiller.Infill(tiny.Texts, null, Cancellation);
        Assert.NotEqual(best.Select(text => text.Text), first.Select(text => text.Text));
        var cold = tiny.Infiller.Infill(tiny.Texts, options with { TopK = 1 }, Cancellation);
        Assert.Equal(best.Select(text => text.Text), cold.Select(text => text.Text));
    }

    [Fact]
    public void Special_tokens_are_chosen_only_where_that_is_allowed()
    {
        using var tiny = new TinyInfiller("bert-tiny");
        var options = new InfillingOptions { CandidateCount = tiny.Tokenizer.VocabularySize, Order = InfillingOrder.AllAtOnce };
        var ordinary = tiny.Infiller.Infill(tiny.Texts, options, Cancellation)[0].Masks[0].Candidates;
        var all = tiny.Infiller.Infill(tiny.Texts, options with { AllowSpecialTokens = true }, Cancellation)[0].Masks[0].Candidates;
        Assert.Equal(tiny.Tokenizer.VocabularySize, all.Count);
        Assert.Equal(all.Where(item => !tiny.Tokenizer.SpecialTokenIds.Contains(item.TokenId)), ordinary);
        Assert.Equal(1, all.Sum(item => Math.Exp(item.LogProbability)), 1e-5);
    }

    [Fact]
    public void A_text_that_is_longer_than_the_context_is_filled_in_windows()
    {
        using var tiny = new TinyInfiller("bert-tiny");
        var text = string.Join(' ', Enumerable.Repeat(Plain, 8)) + " one [MASK] and " + string.Join(' ', Enumerable.Repeat(Plain, 8));
        var filled = tiny.Infiller.Infill([text], null, Cancellation)[0];
        var position = Assert.Single(filled.Masks).Position;
        Assert.True(filled.TokenIds.Count > 4 * tiny.Model.ContextLength);

        // What the mask has around it decides: the same window as a text of its own.
        var ids = tiny.Tokenizer.Encode(text);
        var window = MaskedText.Encode(text, tiny.Tokenizer, tiny.Tokenizer.RequiredMaskId(), tiny.Model.ContextLength).RowOf(position);
        Assert.Equal(tiny.Model.ContextLength, window.Row.Length);
        Assert.Equal(ids.AsSpan(position - 15, 31).ToArray(), window.Row.AsSpan(window.Position - 15, 31).ToArray());
        var score = tiny.Infiller.Score([string.Join(' ', Enumerable.Repeat(Plain, 8))], 32, Cancellation)[0];
        Assert.True(score.TokenCount > 2 * tiny.Model.ContextLength);
        Assert.All(score.LogProbabilities, value => Assert.True(value < 0));
    }

    [Fact]
    public void Masked_accuracy_counts_the_tokens_that_are_the_most_probable_ones()
    {
        using var tiny = new TinyInfiller("bert-tiny");
        var all = tiny.Infiller.Evaluate([Plain, "It was"], share: 1, cancellationToken: Cancellation);
        var tokens = tiny.Tokenizer.Encode(Plain).Length + tiny.Tokenizer.Encode("It was").Length - 4;
        Assert.Equal(tokens, all.TokenCount);

        // One hidden token is what a text with one mask asks.
        var one = tiny.Infiller.Evaluate(["was"], share: 0.15, cancellationToken: Cancellation);
        var candidates = tiny.Infiller.Infill(
            ["[MASK]"], new() { CandidateCount = 800, AllowSpecialTokens = true }, Cancellation)[0].Masks[0].Candidates;
        Assert.Equal(-candidates.First(item => item.Token == "was").LogProbability, one.Loss, 1e-5);
        Assert.Equal(0, one.Accuracy);
        using var roberta = new TinyInfiller("roberta-tiny");
        var best = roberta.Infiller.Infill(["<mask>"], new() { TextForm = InfilledTextForm.Decoded }, Cancellation)[0];
        Assert.Equal(new MaskedPrediction(-best.Masks[0].Chosen.LogProbability, 1, 1), roberta.Infiller.Evaluate(
            [best.Text], cancellationToken: Cancellation));
        Assert.Equal(all, tiny.Infiller.Evaluate([Plain, "It was"], share: 1, seed: 3, batchSize: 1, cancellationToken: Cancellation) with
        {
            Loss = all.Loss,
        });
    }

    [Fact]
    public void Words_are_told_by_the_marks_of_their_kind_of_tokenizer()
    {
        Assert.Equal(["themselves", "upon", "the", ".", "Yes"], Words("bert-tiny", "themselves upon the. Yes"));
        Assert.Equal(["themselves", " upon", " the.", " Yes"], Words("roberta-tiny", "themselves upon the. Yes"));

        static List<string> Words(string folder, string text)
        {
            using var tiny = new TinyInfiller(folder);
            var encoding = tiny.Tokenizer.EncodeText(text);
            return
            [
                .. tiny.Tokenizer.Words.WordsOf([.. encoding.Ids]).Select(word =>
                    (folder == "roberta-tiny" && word.Start.Value > 1 ? " " : "")
                    + text[encoding.Offsets[word.Start].Start..encoding.Offsets[word.End.Value - 1].End]),
            ];
        }
    }

    [Fact]
    public void What_cannot_fill_masks_is_refused_by_name()
    {
        using var tiny = new TinyInfiller("bert-tiny");
        var gpt2 = TextTokenizer.Load(RepositoryFiles.Data("gpt2-tiny"));
        Assert.Contains(
            "mask_token", Assert.Throws<ArgumentException>(() => new TextInfiller(tiny.Model, gpt2)).Message, StringComparison.Ordinal);
        using var headless = (MaskedLanguageModel)FamilyFolders.Load("t5-encoder-tiny");
        Assert.Contains(
            "output head", Assert.Throws<ArgumentException>(() => new TextInfiller(headless, tiny.Tokenizer)).Message,
                StringComparison.Ordinal);
        using var small = (MaskedLanguageModel)FamilyFolders.Load("roberta-tiny");
        Assert.Contains(
            "500", Assert.Throws<ArgumentException>(() => new TextInfiller(small, tiny.Tokenizer)).Message, StringComparison.Ordinal);
        Assert.Contains(
            "Text 1", Assert.Throws<ArgumentException>(() => tiny.Infiller.Infill(["", null!], null, Cancellation)).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "Text 1 has a mask",
            Assert.Throws<ArgumentException>(() => tiny.Infiller.Score(["It", "[MASK]"], 32, Cancellation)).Message,
                StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => tiny.Infiller.Evaluate([""], cancellationToken: Cancellation));
        foreach (var (options, name) in (IEnumerable<(InfillingOptions, string)>)
        [
            (new() { MaskedShare = 1.5 }, "MaskedShare"), (new() { CandidateCount = -1 }, "CandidateCount"),
            (new() { Temperature = 0 }, "Temperature"), (new() { TopK = -1 }, "TopK"), (new() { BatchSize = 0 }, "BatchSize"),
            (new() { Order = (InfillingOrder)7 }, "Order"), (new() { TextForm = (InfilledTextForm)7 }, "TextForm"),
        ])
        {
            Assert.Contains(
                name, Assert.Throws<ArgumentException>(() => tiny.Infiller.Infill([Plain], options, Cancellation)).Message,
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Calls_after_disposal_cancelled_ones_and_those_on_a_model_in_training_are_refused()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        var tiny = new TinyInfiller("bert-tiny");
        Assert.Throws<OperationCanceledException>(() => tiny.Infiller.Infill(tiny.Texts, null, cancelled.Token));
        Assert.Throws<OperationCanceledException>(() => tiny.Infiller.Score([Plain], 8, cancelled.Token));
        tiny.Model.train();
        Assert.Throws<InvalidOperationException>(() => tiny.Infiller.Infill(tiny.Texts, null, Cancellation));
        tiny.Model.eval();
        tiny.Dispose();
        Assert.Throws<ObjectDisposedException>(() => tiny.Infiller.Infill(tiny.Texts, null, Cancellation));
    }

    [Fact]
    public void Published_options_are_read_as_they_were_written()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(new InfillingOptions(), InfillingOptions.FromPretrained(folder.Path));
        var options = new InfillingOptions
        {
            Order = InfillingOrder.LeftToRight, MaskedShare = 0.25, CandidateCount = 0, AllowSpecialTokens = true, Sample = true,
            Temperature = 0.7, TopK = 40, TextForm = InfilledTextForm.Decoded, Seed = 9, BatchSize = 2,
        };
        InfillingOptionsFile.Write(folder.Path, options);
        Assert.Equal(options, InfillingOptions.FromPretrained(folder.Path));

        foreach (var (content, name) in (IEnumerable<(string, string)>)
            [("""{"ordre": "left_to_right"}""", "ordre"), ("""{"masked_share": 3}""", "MaskedShare"), ("""{"order": 1}""", "order"),
                ("[]", "JSON")])
        {
            File.WriteAllText(folder["infilling_config.json"], content);
            Assert.Contains(
                name, Assert.Throws<InvalidDataException>(() => InfillingOptions.FromPretrained(folder.Path)).Message,
                StringComparison.Ordinal);
        }
    }
}
