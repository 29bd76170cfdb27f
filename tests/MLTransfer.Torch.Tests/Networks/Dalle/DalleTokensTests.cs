using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.Dalle;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Dalle;

/// <summary>A DALL-E is given further tokens of captions, whose ids push those of padding and of codes away.</summary>
public sealed class DalleTokensTests : IDisposable
{
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Theory]
    [InlineData(TinyDalle.Plain)]
    [InlineData(TinyDalle.Rotary)] // which looks tokens up in the rows of its head
    [InlineData(TinyDalle.Reversible)]
    public void What_captions_and_codes_meant_they_mean_still(string name)
    {
        using var gradients = no_grad();
        using var model = TinyDalle.Load(name);
        using var grown = model.WithTokens(known: 40, [[7, 9], [], [3]]);
        Assert.Equal((43, model.LogitsPerPosition + 3), (grown.TextVocabularySize, grown.LogitsPerPosition));
        var text = tensor([3L, 9, 39, 7, 1, 0, 0, 0, 0, 0], [1, 10]);
        var codes = randint(0, 32, [1, 64], generator: new Generator(3), dtype: ScalarType.Int64);
        var (before, after) = (model.Forward(text, codes), grown.Forward(text, codes));
        Assert.InRange(TinyDalle.Distance(before.narrow(2, 0, 40), after.narrow(2, 0, 40)), 0, 1e-6);
        Assert.InRange(TinyDalle.Distance(before.narrow(2, 40, 42), after.narrow(2, 43, 42)), 0, 1e-6); // padding, then codes
        using var folder = new TemporaryFolder();
        grown.Save(folder.Path);
        using var loaded = (DalleModel)GenerativeNetwork.Load(folder.Path);
        Assert.Equal(grown.ComputeFingerprint(), loaded.ComputeFingerprint());

        text[0, 1] = 40; // a new word
        Assert.True(TinyDalle.Distance(after.narrow(1, 2, 70), grown.Forward(text, codes).narrow(1, 2, 70)) > 1e-3);
        Assert.Equal(
            TinyDalle.WriteGreedily(grown, [3, 40], [], 2), TinyDalle.WriteGreedily(loaded, [3, 40], [], 2));
        Assert.True(float.IsFinite(grown.ComputeLosses(text, codes).Loss.item<float>()));
    }

    [Theory]
    [InlineData(TinyDalle.Plain)]
    [InlineData(TinyDalle.Rotary)]
    public void Rows_of_new_tokens_beside_adapters_have_the_gradients_that_they_have_among_all_weights(string name)
    {
        using var model = TinyDalle.Load(name);
        using var whole = model.WithTokens(known: 40, [[7, 9], [3]]);
        using var adapted = model.WithTokens(known: 40, [[7, 9], [3]]);
        LowRankAdaptation.Attach(adapted, new LoraOptions { TrainedTokens = [41, 40] }, seed: 1); // which change nothing at first
        var text = tensor([3L, 40, 41, 40, 1, 0, 0, 0, 0, 0], [1, 10]);
        var codes = randint(0, 32, [1, 64], generator: new Generator(3), dtype: ScalarType.Int64);
        whole.ComputeLosses(text, codes).Loss.backward();
        adapted.ComputeLosses(text, codes).Loss.backward();
        var table = name == TinyDalle.Rotary ? "to_logits.1" : "text_emb";
        var expected = whole.named_parameters().Single(p => p.name == table + ".weight").parameter.grad!;
        var rows = Assert.Single(adapted.TrainableParameters(), p => p.Name == $"{table}.{TokenRows.Name}").Parameter.grad!;
        Assert.InRange(TinyDalle.Distance(stack([expected[41], expected[40]]), rows), 0, 1e-6);
        Assert.True(rows.abs().min().item<float>() > 0);
    }

    [Fact]
    public void Tokens_start_from_their_pieces_and_rows_that_no_token_had_are_theirs_first()
    {
        using var gradients = no_grad();
        using var model = TinyDalle.Load(TinyDalle.Plain);
        using var grown = model.WithTokens(known: 38, [[7, 9], [], [3]]);
        Assert.Equal(41, grown.TextVocabularySize);
        var (before, after) = (model.CheckpointTensors().ToDictionary(), grown.CheckpointTensors().ToDictionary());
        string[] changed = ["text_emb.weight", "to_logits.1.weight", "to_logits.1.bias"];
        foreach (var (name, old) in before.Where(tensor => !changed.Contains(tensor.Key)))
            Assert.Equal(0, TinyDalle.Distance(old, after[name]));
        foreach (var name in changed)
        {
            var (old, now) = (before[name], after[name]);
            Assert.Equal(0, TinyDalle.Distance(old.narrow(0, 0, 38), now.narrow(0, 0, 38)));
            Assert.Equal(0, TinyDalle.Distance(old.narrow(0, 40, old.shape[0] - 40), now.narrow(0, 41, old.shape[0] - 40)));
            Assert.InRange(TinyDalle.Distance((old[7] + old[9]) / 2, now[38]), 0, 1e-7);
            Assert.InRange(TinyDalle.Distance(old.narrow(0, 0, 38).mean([0]), now[39]), 0, 1e-6);
            Assert.Equal(0, TinyDalle.Distance(old[3], now[40]));
        }

        LowRankAdaptation.Attach(model, new LoraOptions(), seed: 1);
        Assert.Contains(
            "Merge", Assert.Throws<InvalidOperationException>(() => model.WithTokens(38, [[]])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => grown.WithTokens(known: 42, [[]]));
    }
}
