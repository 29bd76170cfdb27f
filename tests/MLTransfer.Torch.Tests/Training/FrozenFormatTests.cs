using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Layers.Frozen;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training;

/// <summary><see cref="LanguageTrainingOptions.FrozenFormat"/>.</summary>
[Collection(ProcessWideState.Name)]
public sealed class FrozenFormatTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<FrozenFormat, Precision, bool> Runs => new(
        (FrozenFormat.Int8, Precision.Float32, false), (FrozenFormat.Int8, Precision.BFloat16, true),
        (FrozenFormat.Int4, Precision.Float32, true), (FrozenFormat.Int4, Precision.BFloat16, false),
        (FrozenFormat.NormalFloat4, Precision.Float32, false), (FrozenFormat.DoubleNormalFloat4, Precision.BFloat16, true));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Runs))]
    public void Adapters_learn_what_they_learn_over_a_model_of_the_rounded_weights(
        FrozenFormat format, Precision precision, bool recomputes)
    {
        using var model = TinyRun.CreateModel(TinyRunKind.Adapters);
        using var rounded = TinyRun.CreateModel(TinyRunKind.Adapters);
        Round(rounded, format);
        var before = WeightBytes.Of(model);
        var options = TinyRun.Options(TinyRunKind.Adapters, folder: null) with
        {
            Precision = precision, GradientCheckpointing = recomputes,
        };

        var result = Train(model, options with { FrozenFormat = format });
        var expected = Train(rounded, options);

        Assert.All(expected.History.Zip(result.History), pair =>
        {
            Assert.Equal(pair.First.Loss is null, pair.Second.Loss is null);
            if (pair.First.Loss is { } loss)
                Assert.Equal(loss, pair.Second.Loss!.Value, (precision == Precision.Float32 ? 1e-4 : 5e-3) * loss);
        });
        Assert.Equal(expected.ValidationLoss!.Value, result.ValidationLoss!.Value, 5e-3 * expected.ValidationLoss.Value);
        Assert.NotEqual(before, WeightBytes.Of(model)); // of adapters
        using var original = TinyRun.LoadModel();
        foreach (var (name, parameter) in original.named_parameters())
            Assert.True(parameter.equal(model.get_parameter(name)!).all().item<bool>(), name);
    }

    [Fact]
    public void Merged_weights_are_those_of_full_precision_and_the_update()
    {
        using var model = TinyRun.CreateModel(TinyRunKind.Adapters);
        Train(model, TinyRun.Options(TinyRunKind.Adapters, folder: null) with { FrozenFormat = FrozenFormat.Int4 });
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var (name, layer) = model.AdaptedLayers().First();
        var update = (mm(layer.Adapter!.B, layer.Adapter.A) * layer.Adapter.Scale).t().contiguous(); // c_attn is [input, output]
        using var original = TinyRun.LoadModel();
        var expected = original.get_parameter(name + ".weight")! + update;

        LowRankAdaptation.Merge(model);

        Assert.InRange((model.get_parameter(name + ".weight")! - expected).abs().max().item<float>(), 0, 1e-6);
        Assert.True(update.abs().max().item<float>() > 1e-4);
    }

    [Fact]
    public void A_resumed_run_ends_with_the_same_weights()
    {
        using var whole = TinyRun.CreateModel(TinyRunKind.Adapters);
        using var resumed = TinyRun.CreateModel(TinyRunKind.Adapters);
        var options = TinyRun.Options(TinyRunKind.Adapters, _folder["run"]) with { FrozenFormat = FrozenFormat.NormalFloat4 };
        using var cancellation = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => new LanguageModelTrainer(resumed, options, TinyRun.Rows, TinyRun.Rows).Train(
            new ProgressCallback(p => { if (p.Step == 7) cancellation.Cancel(); }), cancellation.Token));
        Train(resumed, options with { Resume = true });
        Train(whole, options with { OutputDirectory = _folder["whole"] });
        WeightBytes.AssertEqual(WeightBytes.Of(whole), resumed);

        using var other = TinyRun.CreateModel(TinyRunKind.Adapters);
        Assert.Throws<InvalidDataException>(() => Train(other, options with { Resume = true, FrozenFormat = FrozenFormat.Int8 }));
    }

    [Fact]
    public void A_model_that_writes_while_it_is_trained_computes_with_the_rounded_weights()
    {
        using var model = TinyRun.CreateModel(TinyRunKind.Adapters);
        using var rounded = TinyRun.CreateModel(TinyRunKind.Adapters);
        model.eval();
        rounded.eval();
        Round(rounded, FrozenFormat.Int4);
        var options = new GenerationOptions { MaximumNewTokens = 8, EndOfSequenceIds = [] };
        int[][] prompts = [[100, 101, 102], [130, 131]];
        using (FrozenWeights.Convert(model, _folder["frozen.safetensors"], FrozenFormat.Int4))
        {
            Assert.All(model.LinearLayers(), layer => Assert.NotNull(layer.Layer.Frozen));
            Assert.Equal(Written(rounded), Written(model));
        }

        Assert.All(model.LinearLayers(), layer => Assert.Null(layer.Layer.Frozen));
        Assert.True(model.FastSteps == 0);
        Written(model);
        Assert.True(model.FastSteps > 0);

        IEnumerable<IReadOnlyList<int>> Written(CausalLanguageModel network) => new TokenGenerator(network)
            .Generate(prompts, options, cancellationToken: Token).Select(sequences => sequences[0].TokenIds).ToList();
    }

    [Fact]
    public void What_does_not_go_with_it_is_refused_by_name()
    {
        using var trained = TinyRun.CreateModel(TinyRunKind.Improving);
        Assert.Contains("all of the model's are trained", Refused(trained, FrozenFormat.Int8), StringComparison.Ordinal);
        using var adapted = TinyRun.LoadModel();
        Assert.Contains("is not defined", Refused(adapted, (FrozenFormat)9), StringComparison.Ordinal);
        LowRankAdaptation.Attach(adapted, new LoraOptions { WeightDecomposed = true }, seed: 1);
        Assert.Contains(nameof(LoraOptions.WeightDecomposed), Refused(adapted, FrozenFormat.Int8), StringComparison.Ordinal);

        static string Refused(CausalLanguageModel model, FrozenFormat format) => Assert.ThrowsAny<ArgumentException>(
            () => new LanguageModelTrainer(model, new LanguageTrainingOptions { FrozenFormat = format }, TinyRun.Rows)).Message;
    }

    private static TrainingResult Train(CausalLanguageModel model, LanguageTrainingOptions options) =>
        new LanguageModelTrainer(model, options, TinyRun.Rows, TinyRun.Rows).Train(cancellationToken: Token);

    /// <summary>Gives a model the weights that frozen ones become; its tied table stays what it is where tokens are looked up.</summary>
    private static void Round(CausalLanguageModel model, FrozenFormat format)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (_, layer) in model.LinearLayers())
        {
            using var matrix = FrozenMatrix.Create(layer.Weight, format);
            layer.Weight.copy_(matrix.Part(0, matrix.Rows, 0, matrix.Columns, ScalarType.Float32));
        }

        model.Head.Frozen = FrozenMatrix.Create(model.OutputHead, FrozenFormat.Int8);
    }
}
