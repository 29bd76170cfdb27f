using System.Text.Json.Serialization;
using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Described;

/// <summary>
/// The description of a layer: what it does and how large it is, without weights. The size of its input comes from what is before it.
/// Shapes are given without the batch: [n] is a vector, [channels, height, width] a picture.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(DenseLayer), "dense")]
[JsonDerivedType(typeof(ConvolutionLayer), "convolution")]
[JsonDerivedType(typeof(TransposedConvolutionLayer), "transposed_convolution")]
[JsonDerivedType(typeof(BatchNormalizationLayer), "batch_normalization")]
[JsonDerivedType(typeof(LayerNormalizationLayer), "layer_normalization")]
[JsonDerivedType(typeof(ActivationLayer), "activation")]
[JsonDerivedType(typeof(DropoutLayer), "dropout")]
[JsonDerivedType(typeof(MaximumPoolingLayer), "maximum_pooling")]
[JsonDerivedType(typeof(AveragePoolingLayer), "average_pooling")]
[JsonDerivedType(typeof(GlobalAveragePoolingLayer), "global_average_pooling")]
[JsonDerivedType(typeof(UpsamplingLayer), "upsampling")]
[JsonDerivedType(typeof(FlattenLayer), "flatten")]
[JsonDerivedType(typeof(ReshapeLayer), "reshape")]
public abstract record Layer
{
    /// <summary>The largest size that a description may ask for.</summary>
    private protected const int MaximumSize = 1 << 24;

    private protected Layer()
    {
    }

    /// <summary>The name before the names of its weights, as in <c>name.weight</c>; null for its position in the list, from 0.</summary>
    public string? Name { get; init; }

    /// <summary>What is applied at the end.</summary>
    [JsonIgnore]
    internal virtual Activation FinalActivation => Activation.None;

    /// <summary>A vector [units] = activation(W x + b) of a vector [n], or the same at each step of a sequence [length, n].</summary>
    public static DenseLayer Dense(int units, Activation activation = Activation.None) => new(units, activation);

    /// <summary>A two-dimensional convolution: [channels, height, width] to [filters, height', width'].</summary>
    /// <param name="filters">Output channels.</param>
    /// <param name="kernelSize">Height and width of the kernel.</param>
    /// <param name="activation">What is applied to the result.</param>
    /// <param name="stride">Steps between the kernel's positions.</param>
    /// <param name="padding">Zeros around the input; null for half the kernel, which keeps the size of the input at stride 1 with an odd
    /// kernel.</param>
    public static ConvolutionLayer Convolution(
        int filters, int kernelSize, Activation activation = Activation.None, int stride = 1, int? padding = null) =>
        new(filters, kernelSize, activation, stride, padding ?? kernelSize / 2);

    /// <summary>
    /// A two-dimensional transposed convolution: [channels, height, width] to [filters, height', width'], larger by the stride.
    /// </summary>
    /// <param name="filters">Output channels.</param>
    /// <param name="kernelSize">Height and width of the kernel.</param>
    /// <param name="activation">What is applied to the result.</param>
    /// <param name="stride">How many times larger the output is.</param>
    /// <param name="padding">Rows and columns cut off at each side of the output.</param>
    public static TransposedConvolutionLayer TransposedConvolution(
        int filters, int kernelSize, Activation activation = Activation.None, int stride = 1, int padding = 0) =>
        new(filters, kernelSize, activation, stride, padding);

    /// <summary>Batch normalization (arXiv 1502.03167) of a vector's elements or a picture's channels.</summary>
    public static BatchNormalizationLayer BatchNormalization(Activation activation = Activation.None) => new(activation);

    /// <summary>Layer normalization (arXiv 1607.06450) over the last dimension.</summary>
    public static LayerNormalizationLayer LayerNormalization() => new();

    /// <summary>An activation of its own.</summary>
    public static ActivationLayer Activate(Activation activation) => new(activation);

    /// <summary>Sets elements to 0 with a probability while training, and scales the others up.</summary>
    public static DropoutLayer Dropout(double probability) => new(probability);

    /// <summary>The maximum of each window of a picture.</summary>
    public static MaximumPoolingLayer MaximumPooling(int size = 2) => new(size);

    /// <summary>The mean of each window of a picture.</summary>
    public static AveragePoolingLayer AveragePooling(int size = 2) => new(size);

    /// <summary>The mean of each channel: [channels, height, width] to [channels].</summary>
    public static GlobalAveragePoolingLayer GlobalAveragePooling() => new();

    /// <summary>Repeats each element of a picture: [channels, height, width] to [channels, factor height, factor width].</summary>
    public static UpsamplingLayer Upsampling(int factor = 2) => new(factor);

    /// <summary>All elements as one vector, the last dimension running fastest.</summary>
    public static FlattenLayer Flatten() => new();

    /// <summary>The same elements in another shape, without the batch.</summary>
    public static ReshapeLayer Reshape(params IReadOnlyList<long> shape) => new(shape);

    /// <summary>Checks what does not depend on the input.</summary>
    /// <exception cref="ArgumentException">A value is out of range.</exception>
    internal virtual void Check()
    {
    }

    /// <summary>The output's extents without the batch.</summary>
    /// <exception cref="ArgumentException">The layer cannot take such an input.</exception>
    internal abstract long[] OutputShape(LayerPlace place);

    /// <summary>The tensors that the layer needs for an input that <see cref="OutputShape"/> accepted.</summary>
    internal virtual IReadOnlyList<LayerWeight> Weights(long[] inputShape) => [];

    /// <summary>Computes the layer without its final activation. The result may be <paramref name="input"/> itself.</summary>
    internal abstract Tensor Compute(Tensor input, IReadOnlyDictionary<string, Tensor> weights, LayerPass pass);

    private protected static void CheckSize(string option, long value, int minimum = 1)
    {
        if (value < minimum || value > MaximumSize)
            throw new ArgumentOutOfRangeException(option, value, $"{option} must be from {minimum} to {MaximumSize}.");
    }

    // Both convolutions call their options so.
    private protected static void CheckConvolution(int filters, int kernelSize, int stride, int padding, Activation activation)
    {
        CheckSize(nameof(ConvolutionLayer.Filters), filters);
        CheckSize(nameof(ConvolutionLayer.KernelSize), kernelSize);
        CheckSize(nameof(ConvolutionLayer.Stride), stride);
        CheckSize(nameof(ConvolutionLayer.Padding), padding, minimum: 0);
        CheckDefined(activation);
    }

    private protected static void CheckDefined(Activation activation)
    {
        if (!Enum.IsDefined(activation))
        {
            throw new ArgumentOutOfRangeException(
                nameof(activation), activation, $"The activation must be one of {string.Join(", ", Enum.GetNames<Activation>())}.");
        }
    }
}
