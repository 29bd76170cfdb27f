using System.Globalization;

namespace MLTransfer;

/// <summary>What an image generator is trained on, counted before training.</summary>
public sealed record ImageDataReport
{
    /// <summary>How many images there are.</summary>
    public required int Images { get; init; }

    /// <summary>Their width and height in pixels, which is the model's.</summary>
    public required int Resolution { get; init; }

    /// <summary>3 for RGB.</summary>
    public required int Channels { get; init; }

    /// <summary>Images with the same pixels as an earlier one: they stay, and count twice.</summary>
    public required long DuplicateImages { get; init; }

    /// <summary>How many images each label has, by its number; empty where the model takes none.</summary>
    public required IReadOnlyList<int> ImagesByLabel { get; init; }

    /// <summary>How many images have no caption; null where the model reads none.</summary>
    public int? ImagesWithoutText { get; init; }

    /// <summary>One line with all counts.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Images} images of {Resolution}x{Resolution} pixels and {Channels} channels, {DuplicateImages} duplicates, ")
        + (ImagesWithoutText is { } silent ? $"{silent} without a caption"
            : ImagesByLabel.Count == 0 ? "no labels" : $"{ImagesByLabel.Count} labels with {string.Join(", ", ImagesByLabel)} images");
}
