using MLTransfer.Torch.Networks.Transformers;

namespace MLTransfer.Onnx.Writing;

/// <summary>The registry of exporters: one row for each <c>model_type</c>.</summary>
/// <param name="ModelType">The value in <c>config.json</c>.</param>
/// <param name="Build">Puts the graph of a model together.</param>
internal sealed record OnnxFamily(string ModelType, Action<CausalLanguageModel, GraphOptions> Build)
{
    private static readonly OnnxFamily[] s_all =
    [
        new("gpt2", static (model, options) => new Gpt2Graph(model, options).Build()),
    ];

    public static OnnxFamily Of(CausalLanguageModel model)
    {
        var type = model.Configuration["model_type"]?.ToString();
        return s_all.FirstOrDefault(family => family.ModelType == type) ?? throw new NotSupportedException(
            $"Models of type '{type}' cannot be exported to ONNX. Supported: {string.Join(", ", s_all.Select(family => family.ModelType))}.");
    }
}
