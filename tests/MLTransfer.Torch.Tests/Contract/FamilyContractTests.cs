using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Numerics.Rows;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Networks.Transformers.Families;
using MLTransfer.Torch.Tests.Networks.Transformers;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Contract;

/// <summary>What every family of the registry promises. A family is tested by being listed.</summary>
public class FamilyContractTests
{
    private const int Length = 12;

    public static IEnumerable<TheoryDataRow<string>> Families =>
        FamilyRegistry.All.Select(family => new TheoryDataRow<string>(family.ModelType));

    public static IEnumerable<TheoryDataRow<string, ScalarType>> Steps =>
        from family in FamilyRegistry.All
        from type in (ScalarType[])[ScalarType.Float32, ScalarType.BFloat16, ScalarType.Float16]
        select new TheoryDataRow<string, ScalarType>(family.ModelType, type);

    [Theory]
    [MemberData(nameof(Steps))]
    public void Decoding_step_equals_forward_and_the_row_kernels_compute_it(string modelType, ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        using var exact = type == ScalarType.Float32 ? FamilyFolders.LoadFamily(modelType) : FamilyFolders.CreateWide(modelType);
        if (exact.Decoder is null)
            return;
        using var typed = exact.ConvertTo(type);
        using var text = new RandomTexts(exact, rows: 3, Length);
        var expected = text.Logits(exact, 0, Length, cache: null);          // [3, length, vocabulary]
        using var cache = text.CreateCache(typed, Length);
        text.Logits(typed, 0, Length - 4, cache);
        for (var position = Length - 4; position < Length; position++)
        {
            var logits = text.Logits(typed, position, position + 1, cache);
            var wanted = expected.narrow(-2, position, 1);
            var distance = ((logits - wanted).norm() / wanted.norm()).item<float>();
            Assert.True(distance < (type == ScalarType.Float32 ? 2e-5 : type == ScalarType.Float16 ? 4e-3 : 3e-2),
                $"position {position}: {distance}");
        }

        Assert.Equal(typed.Family.WithoutRowKernels is null ? 4 : 0, typed.FastSteps);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Int8_logits_are_within_2_percent_of_the_largest(string modelType)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        using var network = FamilyFolders.CreateWide(modelType);
        if (!network.Output.Heads.Any())
            return;
        using var text = new RandomTexts(network, rows: 2, Length);
        var expected = text.Logits(network, 0, Length, cache: null);
        WeightQuantization.Quantize(network);
        var logits = text.Logits(network, 0, Length, cache: null);
        Assert.True(network.IsQuantized);
        Assert.InRange(((logits - expected).abs().max() / expected.abs().max()).item<float>(), 1e-6, 0.02);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Int4_logits_are_within_5_percent_of_those_of_the_rounded_weights_in_float32(string modelType)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        using var network = FamilyFolders.CreateWide(modelType);
        if (!network.Output.Heads.Any())
            return;
        using var rounded = network.Copy();
        WeightQuantization.Quantize(network, QuantizationFormat.Int4);
        foreach (var (module, written) in network.modules().Zip(rounded.modules()))
        {
            if (module is Linear { Quantized: { } matrix })
                Write(matrix, ((Linear)written).OutputByInput());
            else if (module is Embedding { Quantized: { } table })
                Write(table, ((Embedding)written).Weight);
        }

        using var text = new RandomTexts(network, rows: 2, Length);
        var expected = text.Logits(rounded, 0, Length, cache: null);
        var logits = text.Logits(network, 0, Length, cache: null);
        Assert.InRange(((logits - expected).abs().max() / expected.abs().max()).item<float>(), 1e-6, 0.05);

        static void Write(QuantizedMatrix matrix, Tensor weight)
        {
            var output = new float[matrix.Inputs];
            for (var i = 0; i < matrix.Outputs; i++)
            {
                matrix.ReadOutput(i, output);
                weight[i].copy_(tensor(output));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Checkpoint_comes_back_byte_for_byte(string modelType)
    {
        using var folder = new TemporaryFolder();
        using var network = FamilyFolders.LoadFamily(modelType);
        network.Save(folder.Path);
        var bytes = File.ReadAllBytes(folder["model.safetensors"]);
        using (var again = TransformerNetwork.Load(folder.Path))
        {
            Assert.Equal(network.ComputeFingerprint(), again.ComputeFingerprint());
            again.Save(folder.Path);
        }

        Assert.Equal(bytes, File.ReadAllBytes(folder["model.safetensors"]));
        Assert.IsAssignableFrom<TransformerNetwork>(GenerativeNetwork.Load(folder.Path));
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Adapters_of_the_default_targets_attach_and_merge(string modelType)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        using var network = FamilyFolders.LoadFamily(modelType);
        using var text = new RandomTexts(network, rows: 2, Length);
        var before = text.Hidden(network);
        LowRankAdaptation.Attach(network, new LoraOptions { Rank = 2 }, seed: 1);
        Assert.NotEmpty(network.AdaptedLayers());
        Assert.All(network.TrainableParameters(), parameter => Assert.Contains(".lora_", parameter.Name, StringComparison.Ordinal));
        Assert.Equal(0, (text.Hidden(network) - before).abs().max().item<float>()); // B is zero
        using var generator = new Generator(2);
        foreach (var (_, parameter) in network.AdapterParameters())
            parameter.normal_(0, 0.1, generator);
        var adapted = text.Hidden(network);
        Assert.True((adapted - before).abs().max().item<float>() > 1e-3);
        LowRankAdaptation.Merge(network);
        Assert.Empty(network.AdaptedLayers());
        var difference = ((text.Hidden(network) - adapted).norm() / adapted.norm()).item<float>();
        Assert.True(difference < 1e-5, $"{difference}");
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Freezing_all_but_the_last_block_leaves_it_and_what_comes_after(string modelType)
    {
        using var network = FamilyFolders.LoadFamily(modelType);
        ParameterFreezing.FreezeAllButLastBlocks(network, 1);
        var trainable = network.TrainableParameters().Select(parameter => parameter.Name).ToList();
        Assert.Contains(trainable, name => name.StartsWith(network.BlockPrefixes[^1], StringComparison.Ordinal));
        Assert.DoesNotContain(trainable, network.IsEmbedding);
        Assert.DoesNotContain(
            trainable, name => network.BlockPrefixes.SkipLast(1).Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal)));
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void A_loaded_network_is_in_evaluation_mode(string modelType)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        using var network = FamilyFolders.LoadFamily(modelType);
        network.Dropout = new DropoutProbabilities(0.5, 0.5, 0.5, 0.5, 0.5);
        using var text = new RandomTexts(network, rows: 2, Length);
        Assert.False(network.training);
        Assert.Equal(0, (text.Hidden(network) - text.Hidden(network)).abs().max().item<float>());
    }
}
