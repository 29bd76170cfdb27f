using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Numerics.Rows;
using TorchSharp;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Adaptation;

/// <summary>
/// Replaces a model's matrices by integers of 8 or 4 bits: a quarter or a seventh of the memory, and faster to generate with.
/// </summary>
/// <remarks>
/// Biases, norms and position embeddings stay as they are; keys and values are cached in bfloat16. Activations are rounded to fixed point
/// where they meet a matrix, to 16 bits where weights have 8, and to 8 bits in groups of 32 where weights have 4: an order less than what
/// the weights err.
/// </remarks>
public static class WeightQuantization
{
    /// <summary>
    /// Quantizes the linear layers, the token embedding and the output head of a float32 model on the CPU, and frees their float32 weights.
    /// The model can do what a model in evaluation mode does; it cannot be trained, adapted or saved any more.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="format">Of its matrices.</param>
    /// <exception cref="InvalidOperationException">The model has adapters, is not float32 or not on the CPU, or is quantized
    /// already.</exception>
    public static void Quantize(TransformerNetwork model, QuantizationFormat format = QuantizationFormat.Int8)
    {
        ArgumentNullException.ThrowIfNull(model);
        var quantization = Of(format);
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
                layer.QuantizeWeight(quantization);
            else if (module is Embedding embedding && model.IsTokenTable(embedding.Weight))
                embedding.QuantizeWeight(quantization);
        }

        model.QuantizedTo = format;
    }

    /// <summary>
    /// Quantizes the text encoder and the decoder of a float32 model on the CPU, as
    /// <see cref="Quantize(TransformerNetwork, QuantizationFormat)"/> does, and the projection between them. The codec stays as it is.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="format">Of its matrices.</param>
    /// <exception cref="InvalidOperationException">The model has adapters, is not float32 or not on the CPU, or is quantized
    /// already.</exception>
    public static void Quantize(MusicGenModel model, QuantizationFormat format = QuantizationFormat.Int8)
    {
        ArgumentNullException.ThrowIfNull(model);
        Quantize(model.Decoder, format);
        Quantize(model.TextEncoder, format);
        using var gradients = no_grad();
        model.Projection?.QuantizeWeight(Of(format));
        model.QuantizedTo = format;
    }

    private static Quantization Of(QuantizationFormat format) => format switch
    {
        QuantizationFormat.Int8 => Int8Matrix.Quantize,
        QuantizationFormat.Int4 => Int4Matrix.Quantize,
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, $"{format} is no {nameof(QuantizationFormat)}."),
    };
}
