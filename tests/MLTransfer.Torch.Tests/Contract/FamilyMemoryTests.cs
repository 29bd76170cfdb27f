using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Networks.Transformers.Families;
using MLTransfer.Torch.Tests.Checkpoints;
using MLTransfer.Torch.Tests.Networks.Transformers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Contract;

/// <summary>What saves memory gives every family the numbers that it has without.</summary>
[Collection(ProcessWideState.Name)]
public sealed class FamilyMemoryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static IEnumerable<TheoryDataRow<string>> Families =>
        FamilyRegistry.All.Select(family => new TheoryDataRow<string>(family.ModelType));

    public static IEnumerable<TheoryDataRow<string, ScalarType>> Types =>
        from family in FamilyRegistry.All
        from type in (ScalarType[])[ScalarType.BFloat16, ScalarType.Float16]
        select new TheoryDataRow<string, ScalarType>(family.ModelType, type);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Families))]
    public void Blocks_that_are_computed_twice_give_the_same_gradients(string modelType)
    {
        using var scope = NewDisposeScope();
        using var network = FamilyFolders.LoadFamily(modelType);
        if (!FamilyRows.CanBeMadeFor(network))
            return;
        var batch = TrainingBatch.Create(FamilyRows.Of(network), CPU);
        var expectedLoss = LanguageModelLoss.Backward(network, batch, 0.1);
        var expected = network.TrainableParameters().ToDictionary(p => p.Name, p => p.Parameter.grad?.clone());
        Assert.Contains(expected.Values, gradient => gradient is not null);
        foreach (var (_, parameter) in network.TrainableParameters())
            parameter.grad = null;

        using var checkpoints = new BlockRecomputation(1, network.DropoutSource);
        Assert.Equal(expectedLoss, LanguageModelLoss.Backward(network, batch, 0.1, checkpoints), 1e-9);
        foreach (var (name, parameter) in network.TrainableParameters())
        {
            Assert.True(expected[name] is null == parameter.grad is null, name);
            if (expected[name] is { } gradient)
                Assert.True((parameter.grad! - gradient).abs().max().item<float>() <= 1e-6f * (1 + gradient.abs().max().item<float>()), name);
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Matrices_in_the_type_of_the_file_train_adapters_to_the_bits_of_widened_ones(string modelType, ScalarType type)
    {
        using var wide = Load(modelType, type, keepsMatrices: false);
        if (!FamilyRows.CanBeMadeFor(wide))
            return;
        using var kept = Load(modelType, type, keepsMatrices: true);
        Assert.Equal(ScalarType.Float32, kept.DataType);
        Assert.All(kept.LinearLayers(), layer => Assert.Equal(type, layer.Layer.Weight.dtype));
        Assert.Equal(type, kept.TokenEmbedding.dtype);

        Assert.Equal(Train(wide, Precision.BFloat16), Train(kept, Precision.BFloat16));
        Assert.All(
            PeftAdapterFolder.Tensors(wide).Zip(PeftAdapterFolder.Tensors(kept)),
            pair => Assert.True(TensorBytes.Of(pair.First.Value).AsSpan().SequenceEqual(TensorBytes.Of(pair.Second.Value)), pair.First.Key));

        LowRankAdaptation.Merge(wide);
        LowRankAdaptation.Merge(kept);
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (expected, found) in wide.CheckpointTensors().Zip(kept.CheckpointTensors()))
        {
            Assert.Equal(expected.Key, found.Key);
            Assert.True(expected.Value.equal(found.Value.to(expected.Value.dtype)).all().item<bool>(), expected.Key);
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void In_float32_they_train_the_same_but_for_rounding(string modelType, ScalarType type)
    {
        using var wide = Load(modelType, type, keepsMatrices: false);
        if (!FamilyRows.CanBeMadeFor(wide))
            return;
        using var kept = Load(modelType, type, keepsMatrices: true);
        Assert.All(Train(wide, Precision.Float32).Zip(Train(kept, Precision.Float32)),
            losses => Assert.Equal(losses.First, losses.Second, 1e-5));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void What_is_trained_whole_becomes_float32(string modelType, ScalarType type)
    {
        using var wide = Load(modelType, type, keepsMatrices: false);
        if (!FamilyRows.CanBeMadeFor(wide) || wide.Output.Heads[0].LayerName is null && wide is MaskedLanguageModel)
            return;
        using var kept = Load(modelType, type, keepsMatrices: true);
        ParameterFreezing.FreezeAllButLastBlocks(wide, 1);
        ParameterFreezing.FreezeAllButLastBlocks(kept, 1);
        Assert.Equal(Train(wide, Precision.BFloat16, hasAdapters: false), Train(kept, Precision.BFloat16, hasAdapters: false));
        Assert.All(kept.TrainableParameters(), p => Assert.Equal(ScalarType.Float32, p.Parameter.dtype));
        Assert.Contains(kept.named_parameters(), p => p.parameter.dtype == type);
    }

    private TransformerNetwork Load(string modelType, ScalarType type, bool keepsMatrices)
    {
        if (!File.Exists(_folder["model.safetensors"]))
        {
            using var network = FamilyFolders.LoadFamily(modelType);
            network.Save(_folder.Path, type);
        }

        return TransformerNetwork.Load(_folder.Path, keepsMatrices: keepsMatrices);
    }

    /// <summary>The losses of a few steps.</summary>
    private static List<double> Train(TransformerNetwork network, Precision precision, bool hasAdapters = true)
    {
        if (hasAdapters)
            LowRankAdaptation.Attach(network, new LoraOptions { Rank = 2 }, seed: 1);
        var options = new LanguageTrainingOptions
        {
            MaximumSteps = 3, BatchSize = 2, LearningRate = 1e-2, Precision = precision, GradientCheckpointing = true,
        };
        var rows = FamilyRows.Of(network);
        var result = new LanguageModelTrainer(network, options, rows, rows).Train();
        return [.. result.History.Select(report => report.Loss ?? 0), result.InitialValidationLoss!.Value, result.ValidationLoss!.Value];
    }
}
