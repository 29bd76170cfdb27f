namespace MLTransfer.Torch.Training;

/// <summary>Refuses options out of range by name.</summary>
internal static class OptionRange
{
    /// <exception cref="ArgumentOutOfRangeException">The value is smaller.</exception>
    public static void AtLeast(string name, long value, long minimum)
    {
        if (value < minimum)
            throw new ArgumentOutOfRangeException(name, value, $"{name} must be at least {minimum}.");
    }

    /// <exception cref="ArgumentOutOfRangeException">The value is negative, infinite or NaN.</exception>
    public static void NotNegative(string name, double value)
    {
        if (!(value >= 0) || double.IsInfinity(value))
            throw new ArgumentOutOfRangeException(name, value, $"{name} must be a finite number that is not negative.");
    }

    /// <exception cref="ArgumentOutOfRangeException">The value is not positive, infinite or NaN.</exception>
    public static void Positive(string name, double value)
    {
        if (value is not (> 0 and < double.PositiveInfinity))
            throw new ArgumentOutOfRangeException(name, value, $"{name} must be a positive number.");
    }

    /// <exception cref="ArgumentOutOfRangeException">The value is outside or NaN.</exception>
    public static void Between(string name, double value, double minimum, double maximum)
    {
        if (!(value >= minimum && value <= maximum))
            throw new ArgumentOutOfRangeException(name, value, $"{name} must be from {minimum} to {maximum}.");
    }

    /// <summary>For shares that a power of them must make vanish, such as decay rates.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative, 1 or more, or NaN.</exception>
    public static void FromZeroToLessThanOne(string name, double value)
    {
        if (value is not (>= 0 and < 1))
            throw new ArgumentOutOfRangeException(name, value, $"{name} must be from 0 to less than 1.");
    }

    /// <exception cref="ArgumentOutOfRangeException">The value has no name.</exception>
    public static void Defined<T>(string name, T value)
        where T : struct, Enum
    {
        if (!Enum.IsDefined(value))
            throw new ArgumentOutOfRangeException(name, value, $"{name} must be one of {string.Join(", ", Enum.GetNames<T>())}.");
    }

    /// <summary>For what depends on other options.</summary>
    /// <exception cref="ArgumentException">It does not hold.</exception>
    public static void Holds(string name, bool holds, string message)
    {
        if (!holds)
            throw new ArgumentException(message, name);
    }
}
