using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Networks.Transformers;
using TorchSharp;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Adaptation;

/// <summary>Replaces a model's matrices by int8 numbers: a quarter of the memory, and faster to generate with.</summary>
/// <remarks>
/// Each output channel of a matrix, and each token of the embedding table, has a float32 scale: its largest magnitude / 127 (symmetric,
/// "absmax"). Biases, norms and position embeddings stay as they are; keys and values are cached in bfloat16. Activations are rounded to
/// 16-bit fixed point where they meet a matrix, which errs far less than the weights do.
/// </remarks>
public static class WeightQuantization
{
    /// <summary>
    /// Quantizes the linear layers, the token embedding and the output head of a float32 model on the CPU, and frees their float32 weights.
    /// The model can do what a model in evaluation mode does; it cannot be trained, adapted or saved any more.
    /// </summary>
    /// <exception cref="InvalidOperationException">The model has adapters, is not float32 or not on the CPU, or is quantized
    /// already.</exception>
    public static void Quantize(TransformerNetwork model)
    {
        ArgumentNullException.ThrowIfNull(model);
        model.ThrowIfQuantized("quantized again");
        if (model.Lora is not null)
            throw new InvalidOperationException("The model has LoRA adapters. Merge them into its weights before it is quantized.");
        if (model.DataType != ScalarType.Float32 || model.Device.type != DeviceType.CPU)
        {
            throw new InvalidOperationException(
                $"The model's weights are {model.DataType} on {model.Device}. Load it as Float32 on the CPU to quantize it.");
        }

        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        foreach (var module in model.modules().ToList())
        {
            if (module is Linear layer)
                layer.QuantizeWeight();
            else if (module is Embedding embedding && model.IsTokenTable(embedding.Weight))
                embedding.QuantizeWeight();
        }

        model.IsQuantized = true;
    }

    /// <summary>
    /// Quantizes the text encoder and the decoder of a float32 model on the CPU, as <see cref="Quantize(TransformerNetwork)"/> does, and
    /// the projection between them. The codec stays as it is.
    /// </summary>
    /// <exception cref="InvalidOperationException">The model has adapters, is not float32 or not on the CPU, or is quantized
    /// already.</exception>
    public static void Quantize(MusicGenModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        Quantize(model.Decoder);
        Quantize(model.TextEncoder);
        using var gradients = no_grad();
        model.Projection?.QuantizeWeight();
        model.IsQuantized = true;
    }
}
