using System.Text.Json.Nodes;
using MLTransfer.Torch.Layers;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>The registry of architectures: one row for each <c>model_type</c>.</summary>
/// <param name="ModelType">The value in <c>config.json</c>.</param>
/// <param name="BasePrefix">What checkpoints of the bare base model leave out of parameter names.</param>
/// <param name="Build">Makes the network.</param>
internal sealed record ModelFamily(string ModelType, string BasePrefix, Func<JsonObject, WeightSource, CausalLanguageModel> Build)
{
    private static readonly ModelFamily[] All =
    [
        new("gpt2", "transformer.", static (configuration, weights) => new Gpt2(configuration, weights)),
    ];

    public static ModelFamily Of(JsonObject configuration, string origin)
    {
        var type = configuration["model_type"]?.ToString();
        return All.FirstOrDefault(family => family.ModelType == type) ?? throw new NotSupportedException(
            $"{origin}: config.json has model_type '{type}'. Supported: {string.Join(", ", All.Select(family => family.ModelType))}.");
    }
}
