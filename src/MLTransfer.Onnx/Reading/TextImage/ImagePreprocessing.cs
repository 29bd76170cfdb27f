using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Onnx.Reading.TextImage;

/// <summary>
/// How a picture becomes what a network takes, by its <c>preprocessor_config.json</c>: resized, cut to its middle, scaled, normalised; what
/// is switched off is null.
/// </summary>
internal sealed record ImagePreprocessing
{
    /// <summary>The name of the file.</summary>
    public const string FileName = "preprocessor_config.json";

    /// <summary>What the classes of transformers that are known do where the file does not say.</summary>
    private static readonly Dictionary<string, Defaults> s_classes = new(StringComparer.Ordinal)
    {
        ["CLIPImageProcessor"] = new(SquareSize: false, 224, ResamplingFilter.Bicubic, Crops: true, Defaults.Clip),
        ["ChineseCLIPImageProcessor"] = new(SquareSize: false, 224, ResamplingFilter.Bicubic, Crops: true, Defaults.Clip),
        ["SiglipImageProcessor"] = new(SquareSize: true, 224, ResamplingFilter.Bicubic, Crops: false, Defaults.Half),
        ["ViTImageProcessor"] = new(SquareSize: true, 224, ResamplingFilter.Bilinear, Crops: false, Defaults.Half),
        ["BlipImageProcessor"] = new(SquareSize: true, 384, ResamplingFilter.Bicubic, Crops: false, Defaults.Clip),
    };

    private const int LargestSide = 1 << 13;

    private static readonly string[] s_harmless =
    [
        "processor_class", "_valid_processor_keys", "do_convert_rgb", "data_format", "input_data_format", "return_tensors", "device",
        "disable_grouping", "auto_map", "_processor_class",
    ];

    /// <summary>What the shorter side becomes; null where <see cref="Size"/> says it, or nothing is resized.</summary>
    public int? ShortestEdge { get; private init; }

    /// <summary>What pictures become, whatever their shape was.</summary>
    public (int Height, int Width)? Size { get; private init; }

    public ResamplingFilter Filter { get; private init; }

    /// <summary>The middle that is kept; black is around it where the picture is smaller.</summary>
    public (int Height, int Width)? Crop { get; private init; }

    /// <summary>What pixels from 0 to 255 are multiplied with.</summary>
    public float Scale { get; private init; } = 1;

    /// <summary>What is subtracted then, by channel.</summary>
    public IReadOnlyList<float> Mean { get; private init; } = [0, 0, 0];

    /// <summary>What the rest is divided by, by channel.</summary>
    public IReadOnlyList<float> Deviation { get; private init; } = [1, 1, 1];

    /// <summary>The size of what comes out; null where it depends on the picture.</summary>
    public (int Height, int Width)? OutputSize => Crop ?? Size;

    /// <summary>Reads the file of a folder.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="InvalidDataException">It is malformed, or an entry is missing.</exception>
    /// <exception cref="NotSupportedException">It asks for what is not known.</exception>
    public static ImagePreprocessing Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            throw new FileNotFoundException($"'{folder}' has no {FileName}, which tells how the model's pictures are made.", path);
        return Read(JsonContent.ParseObject(FileKind.Configuration.Read(path), path), path);
    }

    /// <inheritdoc cref="Read(string)"/>
    internal static ImagePreprocessing Read(JsonObject json, string origin)
    {
        var reader = new ConfigurationReader(json, origin);
        var defaults = ClassOf(reader);
        var size = reader.Flag("do_resize", defaults is null ? null : true) ? ReadSize(reader, json, defaults) : null;
        var crops = reader.Flag("do_center_crop", defaults?.Crops ?? (json.ContainsKey("crop_size") ? null : false));
        if (crops && defaults is { Crops: false })
            throw reader.Unsupported("do_center_crop", "an image processor of this class cuts nothing");
        var result = new ImagePreprocessing
        {
            ShortestEdge = size?.Shortest,
            Size = size?.Exact,
            Filter = size is null ? ResamplingFilter.Nearest : ReadFilter(reader, defaults),
            Crop = crops ? ReadCrop(reader, json, defaults) : null,
            Scale = reader.Flag("do_rescale", defaults is null ? null : true)
                ? (float)reader.Positive("rescale_factor", defaults is null ? null : 1 / 255.0) : 1,
        };
        if (reader.Flag("do_normalize", defaults is null ? null : true))
        {
            result = result with
            {
                Mean = ReadChannels(reader, "image_mean", defaults?.Statistics.Mean),
                Deviation = ReadChannels(reader, "image_std", defaults?.Statistics.Deviation),
            };
            if (result.Deviation.Any(deviation => deviation <= 0))
                throw reader.Invalid("image_std has a number that is not above 0");
        }

        foreach (var side in (int?[])
            [result.ShortestEdge, result.Size?.Height, result.Size?.Width, result.Crop?.Height, result.Crop?.Width])
        {
            if (side > LargestSide)
                throw reader.Invalid($"it asks for pictures of {side} rows or columns; at most {LargestSide} are made");
        }

        // Of a step that is switched off nothing counts.
        reader.Skip("size", "resample", "default_to_square", "crop_size", "rescale_factor", "image_mean", "image_std");
        reader.RefuseUnread(key => s_harmless.Contains(key));
        return result;
    }

    /// <summary>Makes what the network takes of a picture.</summary>
    /// <param name="planes">Red, green and blue plane: [3, height, width].</param>
    /// <param name="height">Of the picture.</param>
    /// <param name="width">Of the picture.</param>
    /// <returns>[3, height, width] of the new size.</returns>
    public (float[] Values, int Height, int Width) Apply(byte[] planes, int height, int width)
    {
        var (newHeight, newWidth) = Size ?? (height, width);
        if (ShortestEdge is { } edge)
        {
            var longer = (int)((long)edge * Math.Max(height, width) / Math.Min(height, width));
            if (longer > LargestSide)
            {
                throw new ArgumentException(
                    $"A picture of {height} rows and {width} columns would become {longer} long; at most {LargestSide} is made.");
            }

            (newHeight, newWidth) = height < width ? (edge, longer) : (longer, edge);
        }

        if ((newHeight, newWidth) != (height, width))
            planes = ImageResampling.Resize(planes, height, width, newHeight, newWidth, Filter);
        var (outHeight, outWidth) = Crop ?? (newHeight, newWidth);
        var top = (int)Math.Floor((newHeight - outHeight) / 2.0);
        var left = (int)Math.Floor((newWidth - outWidth) / 2.0);
        var values = new float[3 * outHeight * outWidth];
        for (var channel = 0; channel < 3; channel++)
        {
            for (var y = 0; y < outHeight; y++)
            {
                for (var x = 0; x < outWidth; x++)
                {
                    var (row, column) = (y + top, x + left);
                    var pixel = row >= 0 && row < newHeight && column >= 0 && column < newWidth
                        ? planes[(channel * newHeight + row) * newWidth + column] : 0;
                    values[(channel * outHeight + y) * outWidth + x] = (pixel * Scale - Mean[channel]) / Deviation[channel];
                }
            }
        }

        return (values, outHeight, outWidth);
    }

    /// <summary>What the class that made the file does by itself; null where the file names none.</summary>
    private static Defaults? ClassOf(ConfigurationReader reader)
    {
        var name = reader.OptionalText("image_processor_type");
        var older = reader.OptionalText("feature_extractor_type")?.Replace("FeatureExtractor", "ImageProcessor", StringComparison.Ordinal);
        if ((name ?? older) is not { } named)
            return null;
        return s_classes.TryGetValue(named.EndsWith("Fast", StringComparison.Ordinal) ? named[..^4] : named, out var defaults)
            ? defaults
            : throw reader.Unsupported(
                name is null ? "feature_extractor_type" : "image_processor_type",
                $"known are {string.Join(", ", s_classes.Keys)}. If size, crop_size, rescale_factor, image_mean and image_std say all that "
                + "the class does, take the entry out");
    }

    private static (int? Shortest, (int Height, int Width)? Exact)? ReadSize(
        ConfigurationReader reader, JsonObject json, Defaults? defaults)
    {
        var isSquare = reader.Has("default_to_square") ? reader.Flag("default_to_square") : defaults?.SquareSize;
        if (json["size"] is not JsonObject)
        {
            var side = reader.Size("size", defaults?.Size);
            return (isSquare ?? throw reader.Missing("default_to_square")) ? (null, (side, side)) : (side, null);
        }

        var size = reader.Object("size")!;
        if (size.OptionalSize("shortest_edge") is not { } edge)
            return (null, Rectangle(size));
        size.RefuseUnread(_ => false);
        return (edge, null);
    }

    private static (int Height, int Width) ReadCrop(ConfigurationReader reader, JsonObject json, Defaults? defaults)
    {
        if (json["crop_size"] is JsonObject)
            return Rectangle(reader.Object("crop_size")!);
        var side = reader.Size("crop_size", defaults?.Size);
        return (side, side);
    }

    private static (int Height, int Width) Rectangle(ConfigurationReader size)
    {
        var found = (size.Size("height"), size.Size("width"));
        size.RefuseUnread(_ => false);
        return found;
    }

    private static ResamplingFilter ReadFilter(ConfigurationReader reader, Defaults? defaults)
    {
        var number = reader.Count("resample", (int?)defaults?.Filter);
        return Enum.IsDefined((ResamplingFilter)number)
            ? (ResamplingFilter)number
            : throw reader.Unsupported("resample", "expected 0 (nearest), 1 (Lanczos), 2 (bilinear), 3 (bicubic), 4 (box) or 5 (Hamming)");
    }

    private static List<float> ReadChannels(ConfigurationReader reader, string key, double[]? otherwise)
    {
        var values = reader.Numbers(key) ?? otherwise ?? throw reader.Missing(key);
        return [.. reader.OfLength(key, values, 3).Select(value => (float)value)];
    }

    /// <param name="SquareSize">Whether a size of one number is both sides; else it is the shorter one.</param>
    /// <param name="Size">The side.</param>
    /// <param name="Filter">What is between pixels.</param>
    /// <param name="Crops">Whether the middle is cut out.</param>
    /// <param name="Statistics">What pixels are normalised by.</param>
    private sealed record Defaults(
        bool SquareSize, int Size, ResamplingFilter Filter, bool Crops, (double[] Mean, double[] Deviation) Statistics)
    {
        public static readonly (double[] Mean, double[] Deviation) Clip =
            ([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]);

        public static readonly (double[] Mean, double[] Deviation) Half = ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]);
    }
}
