using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using TorchSharp;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Adaptation;

/// <summary>Replaces a model's matrices by int8 numbers: a quarter of the memory, and faster to generate with.</summary>
/// <remarks>
/// Each output channel of a matrix, and each token of the embedding table, has a float32 scale: its largest magnitude / 127 (symmetric,
/// "absmax"). Biases, norms and position embeddings stay as they are; keys and values are cached in bfloat16. Activations are rounded to 16-bit
/// fixed point where they meet a matrix, which errs far less than the weights do.
/// </remarks>
public static class WeightQuantization
{
    /// <summary>
    /// Quantizes the linear layers, the token embedding and the output head of a float32 model on the CPU, and frees their float32 weights. The
    /// model can do what a model in evaluation mode does; it cannot be trained, adapted or saved any more.
    /// </summary>
    /// <exception cref="InvalidOperationException">The model has adapters, is not float32 or not on the CPU, or is quantized already.</exception>
    public static void Quantize(CausalLanguageModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        ThrowIfQuantized(model, "quantized again");
        if (model.Lora is not null)
            throw new InvalidOperationException("The model has LoRA adapters. Merge them into its weights before it is quantized.");
        if (model.DataType != ScalarType.Float32 || model.Device.type != DeviceType.CPU)
        {
            throw new InvalidOperationException(
                $"The model's weights are {model.DataType} on {model.Device}. Load it as Float32 on the CPU to quantize it.");
        }

        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var (head, tokenEmbedding) = (model.OutputHead, model.TokenEmbedding);
        foreach (var module in model.modules().ToList())
        {
            switch (module)
            {
                case Linear layer:
                    var isHead = ReferenceEquals(layer.get_parameter("weight"), head);
                    var weight = layer.QuantizeWeight();
                    if (isHead)
                        model.QuantizedHead = weight;
                    break;
                case Embedding embedding when ReferenceEquals(embedding.Weight, tokenEmbedding):
                    var table = embedding.QuantizeWeight();
                    if (ReferenceEquals(tokenEmbedding, head))
                        model.QuantizedHead = table;
                    break;
            }
        }
    }

    /// <exception cref="InvalidOperationException">The model is quantized.</exception>
    internal static void ThrowIfQuantized(CausalLanguageModel model, string done)
    {
        if (model.IsQuantized)
            throw new InvalidOperationException($"The model's weights are quantized to int8 and cannot be {done}. Load the model again.");
    }
}
