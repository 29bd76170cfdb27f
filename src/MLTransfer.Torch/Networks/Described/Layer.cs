using System.Text.Json.Serialization;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Numerics.Rows;
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
[JsonDerivedType(typeof(AdaptiveAveragePoolingLayer), "adaptive_average_pooling")]
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

    /// <summary>
    /// The name before the names of its weights, as in <c>name.weight</c>, perhaps with dots; null for its position in the list, from 0, as
    /// PyTorch's <c>Sequential</c> counts.
    /// </summary>
    public string? Name { get; init; }

    /// <summary>What is applied at the end.</summary>
    internal virtual Activation FinalActivation => Activation.None;

    /// <summary>What a leaky rectifier at the end multiplies negative values with.</summary>
    internal virtual double FinalSlope => RowActivations.LeakySlope;

    /// <summary>Tensors that checkpoints have for the layer and that change nothing.</summary>
    internal virtual IReadOnlyList<string> IgnoredWeights => [];

    /// <summary>A vector [units] = activation(W x + b) of a vector [n], or the same at each step of a sequence [length, n].</summary>
    /// <param name="units">The width of the output.</param>
    /// <param name="activation">What is applied to the result.</param>
    /// <param name="hasBias">Whether there is a b.</param>
    public static DenseLayer Dense(int units, Activation activation = Activation.None, bool hasBias = true) =>
        new(units, activation) { HasBias = hasBias };

    /// <summary>A two-dimensional convolution: [channels, height, width] to [filters, height', width'].</summary>
    /// <param name="filters">Output channels.</param>
    /// <param name="kernelSize">Height and width of the kernel.</param>
    /// <param name="activation">What is applied to the result.</param>
    /// <param name="stride">Steps between the kernel's positions; null for 1.</param>
    /// <param name="padding">Zeros around the input; null for half the kernel, which keeps the size of the input at stride 1 with an odd
    /// kernel. PyTorch's default is 0.</param>
    /// <param name="hasBias">Whether a number is added to each output channel.</param>
    /// <param name="dilation">Steps between the elements that the kernel reads; null for 1.</param>
    /// <param name="groups">In how many groups channels are split, each of which makes its share of the output.</param>
    public static ConvolutionLayer Convolution(
        int filters, HeightWidth kernelSize, Activation activation = Activation.None, HeightWidth? stride = null,
        HeightWidth? padding = null, bool hasBias = true, HeightWidth? dilation = null, int groups = 1)
    {
        var steps = dilation ?? 1;
        return new(filters, kernelSize, activation, stride ?? 1, padding ?? new(
            (steps.Height * (kernelSize.Height - 1) + 1) / 2, (steps.Width * (kernelSize.Width - 1) + 1) / 2))
        {
            HasBias = hasBias,
            Dilation = steps,
            Groups = groups,
        };
    }

    /// <summary>
    /// A two-dimensional transposed convolution: [channels, height, width] to [filters, height', width'], larger by the stride.
    /// </summary>
    /// <param name="filters">Output channels.</param>
    /// <param name="kernelSize">Height and width of the kernel.</param>
    /// <param name="activation">What is applied to the result.</param>
    /// <param name="stride">How many times larger the output is; null for 1.</param>
    /// <param name="padding">Rows and columns cut off at each side of the output; null for 0.</param>
    /// <param name="hasBias">Whether a number is added to each output channel.</param>
    /// <param name="outputPadding">Rows and columns added at the end of the output, fewer than stride or dilation; null for 0.</param>
    /// <param name="dilation">Steps between the elements that the kernel writes; null for 1.</param>
    /// <param name="groups">In how many groups channels are split, each of which makes its share of the output.</param>
    public static TransposedConvolutionLayer TransposedConvolution(
        int filters, HeightWidth kernelSize, Activation activation = Activation.None, HeightWidth? stride = null,
        HeightWidth? padding = null, bool hasBias = true, HeightWidth? outputPadding = null, HeightWidth? dilation = null,
        int groups = 1) => new(filters, kernelSize, activation, stride ?? 1, padding ?? 0)
        {
            HasBias = hasBias,
            OutputPadding = outputPadding ?? 0,
            Dilation = dilation ?? 1,
            Groups = groups,
        };

    /// <summary>Batch normalization (arXiv 1502.03167) of a vector's elements or a picture's channels.</summary>
    /// <param name="activation">What is applied to the result.</param>
    /// <param name="epsilon">What is added to the variance.</param>
    /// <param name="momentum">The share of a batch's statistics in the gathered ones, from 0 to 1.</param>
    /// <param name="hasWeights">Whether the result is multiplied with a weight, and a bias added (<c>affine</c>).</param>
    public static BatchNormalizationLayer BatchNormalization(
        Activation activation = Activation.None, double epsilon = 1e-5, double momentum = 0.1, bool hasWeights = true) =>
        new(activation) { Epsilon = epsilon, Momentum = momentum, HasWeights = hasWeights };

    /// <summary>Layer normalization (arXiv 1607.06450) over the last dimensions.</summary>
    /// <param name="epsilon">What is added to the variance.</param>
    /// <param name="dimensions">How many: the length of PyTorch's <c>normalized_shape</c>.</param>
    /// <param name="hasWeights">Whether the result is multiplied with a weight (<c>elementwise_affine</c>).</param>
    /// <param name="hasBias">Whether a bias is added, where there is a weight.</param>
    public static LayerNormalizationLayer LayerNormalization(
        double epsilon = 1e-5, int dimensions = 1, bool hasWeights = true, bool hasBias = true) =>
        new() { Epsilon = epsilon, Dimensions = dimensions, HasWeights = hasWeights, HasBias = hasBias };

    /// <summary>An activation of its own.</summary>
    public static ActivationLayer Activate(Activation activation) => new(activation);

    /// <summary>x where it is positive, else a share of it.</summary>
    /// <param name="negativeSlope">The share.</param>
    public static ActivationLayer LeakyRelu(double negativeSlope = RowActivations.LeakySlope) =>
        new(Activation.LeakyRelu) { NegativeSlope = negativeSlope };

    /// <summary>Sets elements to 0 with a probability while training, and scales the others up.</summary>
    public static DropoutLayer Dropout(double probability) => new(probability);

    /// <summary>The maximum of each window of a picture.</summary>
    /// <param name="size">Height and width of the windows; null for 2.</param>
    /// <param name="stride">Steps between the windows; null for windows that lie side by side.</param>
    /// <param name="padding">What windows may reach beyond the input, at most half a window; null for 0.</param>
    public static MaximumPoolingLayer MaximumPooling(
        HeightWidth? size = null, HeightWidth? stride = null, HeightWidth? padding = null) =>
        new(size ?? 2) { Stride = stride, Padding = padding ?? 0 };

    /// <summary>The mean of each window of a picture.</summary>
    /// <param name="size">Height and width of the windows; null for 2.</param>
    /// <param name="stride">Steps between the windows; null for windows that lie side by side.</param>
    /// <param name="padding">Zeros around the input, at most half a window; null for 0.</param>
    /// <param name="countsPadding">Whether these zeros count in the mean.</param>
    public static AveragePoolingLayer AveragePooling(
        HeightWidth? size = null, HeightWidth? stride = null, HeightWidth? padding = null, bool countsPadding = true) =>
        new(size ?? 2) { Stride = stride, Padding = padding ?? 0, CountsPadding = countsPadding };

    /// <summary>The mean of windows that are as large as makes a picture of the wanted size (<c>AdaptiveAvgPool2d</c>).</summary>
    /// <param name="size">Height and width of the output.</param>
    public static AdaptiveAveragePoolingLayer AdaptiveAveragePooling(HeightWidth size) => new(size);

    /// <summary>The mean of each channel: [channels, height, width] to [channels].</summary>
    public static GlobalAveragePoolingLayer GlobalAveragePooling() => new();

    /// <summary>Repeats each element of a picture: [channels, height, width] to [channels, factor height, factor width].</summary>
    /// <param name="factor">How many times; null for 2.</param>
    public static UpsamplingLayer Upsampling(HeightWidth? factor = null) => new(factor ?? 2);

    /// <summary>All elements as one vector, the last dimension running fastest.</summary>
    public static FlattenLayer Flatten() => new();

    /// <summary>The same elements in another shape, without the batch.</summary>
    public static ReshapeLayer Reshape(params IReadOnlyList<long> shape) => new(shape);

    /// <summary>
    /// Layers that are named <c>name.0</c>, <c>name.1</c>, ... or, where they have names, <c>name.theirs</c>: a <c>Sequential</c> that is
    /// a part of a network.
    /// </summary>
    /// <param name="name">The part's name, such as <c>features</c>.</param>
    /// <param name="layers">Its layers.</param>
    public static IReadOnlyList<Layer> Part(string name, params IReadOnlyList<Layer> layers)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(layers);
        return [.. layers.Select((layer, index) => layer with { Name = $"{name}.{layer.Name ?? $"{index}"}" })];
    }

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

    private protected static void CheckSizes(string option, HeightWidth value, int minimum = 1)
    {
        CheckSize(option, value.Height, minimum);
        CheckSize(option, value.Width, minimum);
    }

    private protected static void CheckEpsilon(string option, double value)
    {
        if (!(value >= 0 && value < float.MaxValue))
            throw new ArgumentOutOfRangeException(option, value, $"{option} must be 0 or a positive number.");
    }

    // Both convolutions call their options so.
    private protected static void CheckConvolution(
        int filters, HeightWidth kernelSize, HeightWidth stride, HeightWidth padding, HeightWidth dilation, int groups,
        Activation activation)
    {
        CheckSize(nameof(ConvolutionLayer.Filters), filters);
        CheckSizes(nameof(ConvolutionLayer.KernelSize), kernelSize);
        CheckSizes(nameof(ConvolutionLayer.Stride), stride);
        CheckSizes(nameof(ConvolutionLayer.Padding), padding, minimum: 0);
        CheckSizes(nameof(ConvolutionLayer.Dilation), dilation);
        CheckSize(nameof(ConvolutionLayer.Groups), groups);
        CheckDefined(activation);
        if (filters % groups != 0)
        {
            throw new ArgumentException(
                $"{nameof(ConvolutionLayer.Filters)} is {filters}, which is no multiple of {nameof(ConvolutionLayer.Groups)} ({groups}).");
        }
    }

    // Both poolings call their options so.
    private protected static void CheckPooling(HeightWidth size, HeightWidth? stride, HeightWidth padding)
    {
        CheckSizes(nameof(MaximumPoolingLayer.Size), size);
        CheckSizes(nameof(MaximumPoolingLayer.Stride), stride ?? size);
        CheckSizes(nameof(MaximumPoolingLayer.Padding), padding, minimum: 0);
        if (padding.Height > size.Height / 2 || padding.Width > size.Width / 2)
        {
            throw new ArgumentOutOfRangeException(
                nameof(padding), padding, $"{nameof(MaximumPoolingLayer.Padding)} must be at most half of "
                + $"{nameof(MaximumPoolingLayer.Size)} ({size}).");
        }
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
