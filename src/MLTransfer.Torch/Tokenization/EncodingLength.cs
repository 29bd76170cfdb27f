using MLTransfer.Torch.Tokenization.PostProcessors;

namespace MLTransfer.Torch.Tokenization;

/// <summary>Cuts encodings to length and pads them, with the rules of Hugging Face's tokenizers.</summary>
internal static class EncodingLength
{
    public static void ThrowIfInvalid(EncodingOptions options)
    {
        ThrowIfNotPositive(options.MaximumLength, nameof(options.MaximumLength));
        ThrowIfNotPositive(options.PadToLength, nameof(options.PadToLength));
        ThrowIfNotPositive(options.PadToMultipleOf, nameof(options.PadToMultipleOf));
        if (options.Stride < 0)
            throw new ArgumentException(
                $"{nameof(EncodingOptions)}.{nameof(options.Stride)} is {options.Stride}; it must not be negative.");
    }

    /// <summary>Cuts one text or a pair so that it fits with its special tokens.</summary>
    public static (EncodedPart First, EncodedPart? Second) Truncate(
        EncodedPart first, EncodedPart? second, int maximum, int added, EncodingOptions options)
    {
        int room = maximum - added;
        if (room < 0)
        {
            throw new ArgumentException(
                $"{nameof(options.MaximumLength)} is {maximum}, but the special tokens around a text alone are {added}. " +
                $"Raise it or set {nameof(options.AddSpecialTokens)} to false.", nameof(options));
        }

        (int firstLength, int secondLength) = (first.Tokens.Count, second?.Tokens.Count ?? 0);
        int excess = firstLength + secondLength - room;
        if (excess <= 0)
            return (first, second);
        if (room == 0)
            return (Cut(first, 0, options), second is null ? null : Cut(second, 0, options));

        if (options.TruncationStrategy == TruncationStrategy.LongestFirst)
        {
            if (second is null)
                return (Cut(first, room, options), null);
            (int shorter, int longer) = firstLength <= secondLength ? (firstLength, secondLength) : (secondLength, firstLength);
            longer = shorter > room ? shorter : Math.Max(shorter, room - shorter);
            if (shorter + longer > room)
                (shorter, longer) = (room / 2, room / 2 + room % 2);
            (int keepFirst, int keepSecond) = firstLength <= secondLength ? (shorter, longer) : (longer, shorter);
            return (Cut(first, keepFirst, options), Cut(second, keepSecond, options));
        }

        bool isFirst = options.TruncationStrategy == TruncationStrategy.OnlyFirst;
        if ((isFirst ? first : second) is not EncodedPart target)
        {
            throw new ArgumentException(
                $"The text is {excess} tokens too long, and {nameof(options.TruncationStrategy)} cuts only the second of a pair.");
        }

        int kept = target.Tokens.Count - excess;
        if (kept <= 0)
        {
            throw new ArgumentException(
                $"The {(isFirst ? "first" : "second")} text has {target.Tokens.Count} tokens, but {excess} are too many. " +
                $"Raise {nameof(options.MaximumLength)} or use {nameof(TruncationStrategy)}.{nameof(TruncationStrategy.LongestFirst)}.");
        }

        EncodedPart cut = Cut(target, kept, options);
        return isFirst ? (cut, second) : (first, cut);
    }

    /// <summary>Pads each encoding and what did not fit of it.</summary>
    /// <param name="parts">The encodings.</param>
    /// <param name="id">The padding's id, or -1 where there is none.</param>
    /// <param name="token">The padding's text.</param>
    /// <param name="options">Lengths and side.</param>
    public static void Pad(List<EncodedPart> parts, int id, string token, EncodingOptions options)
    {
        int length = options.PadToLength ?? parts.Select(part => part.Tokens.Count).DefaultIfEmpty().Max();
        if (options.PadToMultipleOf is int multiple)
            length = checked((length + multiple - 1) / multiple * multiple);
        var padding = new EncodedToken(id, token, 0, 0, options.PaddingTypeId, null, IsSpecial: true, IsPadding: true);
        foreach (EncodedPart part in parts.SelectMany(part => part.WithOverflowing))
        {
            int missing = length - part.Tokens.Count;
            if (missing <= 0)
                continue;
            if (id < 0)
            {
                throw new InvalidOperationException(
                    "The rows need padding, but the tokenizer has neither a padding nor an end-of-sequence token. " +
                    $"Set {nameof(EncodingOptions)}.{nameof(EncodingOptions.PaddingId)}.");
            }

            part.Tokens.InsertRange(
                options.PaddingSide == SequenceSide.Left ? 0 : part.Tokens.Count, Enumerable.Repeat(padding, missing));
        }
    }

    /// <summary>Keeps so many tokens; the others go into parts of that length, each with the last ones of the part before.</summary>
    private static EncodedPart Cut(EncodedPart part, int length, EncodingOptions options)
    {
        int count = part.Tokens.Count;
        if (length >= count)
            return part;
        if (length == 0)
            return new EncodedPart { Text = part.Text, Overflowing = [part] };
        if (options.Stride >= length)
        {
            throw new ArgumentException(
                $"{nameof(options.Stride)} is {options.Stride}, but a part of the text has only {length} tokens beside the special ones.");
        }

        int step = length - options.Stride;
        var parts = new List<EncodedPart>();
        for (int place = 0; ; place += step)
        {
            (int start, int end) = options.TruncationSide == SequenceSide.Right
                ? (place, Math.Min(place + length, count))
                : (Math.Max(count - place - length, 0), count - place);
            parts.Add(new EncodedPart { Text = part.Text, Tokens = part.Tokens[start..end] });
            if (options.TruncationSide == SequenceSide.Right ? end == count : start == 0)
                break;
        }

        return new EncodedPart { Text = part.Text, Tokens = parts[0].Tokens, Overflowing = parts[1..] };
    }

    private static void ThrowIfNotPositive(int? value, string option)
    {
        if (value <= 0)
            throw new ArgumentException($"{nameof(EncodingOptions)}.{option} is {value}; it must be positive, or null for none.", option);
    }
}
