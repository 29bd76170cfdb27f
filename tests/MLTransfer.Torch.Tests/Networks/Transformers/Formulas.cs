using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.Transformers;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Transformers;

/// <summary>What networks that are written down from the formulas share, and how they are compared.</summary>
internal static class Formulas
{
    public static Func<Tensor, Tensor> Activation(string name) => name switch
    {
        "silu" or "swish" => x => x * x.sigmoid(),
        "relu" => x => x.clamp_min(0),
        "gelu" => x => x * 0.5 * (1 + special.erf(x / Math.Sqrt(2))),
        "gelu_new" or "gelu_pytorch_tanh" => x => x * 0.5 * (1 + ((x + 0.044715 * x.pow(3)) * Math.Sqrt(2 / Math.PI)).tanh()),
        _ => throw new ArgumentException(name),
    };

    /// <summary>
    /// Makes a network of a tiny file with some entries changed (null takes one out) and every parameter drawn, saves it, and compares its
    /// logits, at once and through the cache token by token, with those that the formulas give for the saved checkpoint.
    /// </summary>
    public static void AssertEqual(string folder, string changes, Func<JsonObject, Checkpoint, Func<Tensor, Tensor>> formulas)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var configuration = FamilyFolders.Configuration(folder);
        foreach (var (key, value) in JsonNode.Parse(changes)!.AsObject())
        {
            configuration.Remove(key);
            if (value?.ToString() != "absent")
                configuration[key] = value?.DeepClone();
        }

        using var saved = new TemporaryFolder();
        using (var drawn = TransformerNetwork.Create(configuration.DeepClone().AsObject(), seed: 7))
        {
            using var generator = new Generator(8);
            foreach (var (_, parameter) in drawn.named_parameters())
                parameter.add_(randn(parameter.shape, generator: generator) * 0.15);
            drawn.Save(saved.Path);
        }

        using var network = CausalLanguageModel.Load(saved.Path);
        using var checkpoint = Checkpoint.Open(saved.Path);
        const int length = 20;
        using var ids = randint(2, network.VocabularySize, [length], ScalarType.Int64, generator: new Generator(9));
        var expected = formulas(configuration, checkpoint)(ids);
        AssertClose(expected, network.Forward(new ModelInput(ids.unsqueeze(0)))[0]);

        using var cache = network.CreateCache(1, length);
        var steps = Enumerable.Range(0, length)
            .Select(i => network.Forward(new ModelInput(ids.narrow(0, i, 1).unsqueeze(0)) { PastKeyValues = cache })[0]);
        AssertClose(expected, cat([.. steps], 0));
    }

    private static void AssertClose(Tensor expected, Tensor logits)
    {
        var difference = ((logits.to(ScalarType.Float64) - expected).norm() / expected.norm()).item<double>();
        Assert.True(difference < 1e-5, $"relative difference {difference}");
    }
}
