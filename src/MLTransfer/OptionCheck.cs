using MLTransfer.Torch.Training;

namespace MLTransfer;

/// <summary>Checks of options, with messages that name the option.</summary>
internal static class OptionCheck
{
    public static void AtLeast(string option, long value, long minimum)
    {
        if (value < minimum)
            throw new ArgumentOutOfRangeException(option, value, $"{option} must be at least {minimum}.");
    }

    public static void AtMost(string option, long value, long maximum, string meaning)
    {
        if (value > maximum)
            throw new ArgumentOutOfRangeException(option, value, $"{option} must be at most {maximum}, {meaning}.");
    }

    public static void FromZeroToLessThanOne(string option, double value)
    {
        if (value is not (>= 0 and < 1))
            throw new ArgumentOutOfRangeException(option, value, $"{option} must be from 0 to less than 1.");
    }

    public static void Defined<T>(string option, T value)
        where T : struct, Enum
    {
        if (!Enum.IsDefined(value))
            throw new ArgumentOutOfRangeException(option, value, $"{option} must be one of {string.Join(", ", Enum.GetNames<T>())}.");
    }

    /// <summary>What training starts from: a loaded model, or what a name stands for.</summary>
    /// <param name="loaded">The option or argument with a loaded model, which is given.</param>
    /// <param name="isOnly">Whether it is the only loaded one.</param>
    /// <param name="name">The option with a name.</param>
    /// <param name="standard">Its default, which counts as not given.</param>
    public static void OneBase(string loaded, bool isOnly, string name, string standard)
    {
        if (!isOnly || name != standard)
        {
            throw new ArgumentException(
                $"Training starts from one model: give a loaded one ({loaded}) or the name of one in PretrainedModel, not both.", loaded);
        }
    }

    /// <summary>The training options of an estimator, whose own option is the seed.</summary>
    public static void Training(TrainingOptions? training)
    {
        ArgumentNullException.ThrowIfNull(training);
        training.Check();
        if (training.Seed != ((TrainingOptions)Activator.CreateInstance(training.GetType())!).Seed)
        {
            throw new ArgumentException(
                $"Training.Seed is {training.Seed}, but the estimator's own option Seed decides: set that one.", nameof(training));
        }
    }

    /// <summary>The training options as the kind that a network takes.</summary>
    /// <param name="training">The options; null for defaults.</param>
    /// <param name="network">What messages call the network.</param>
    public static T TrainingOf<T>(TrainingOptions? training, string network)
        where T : TrainingOptions, new() => training switch
        {
            null => new T(),
            T options => options,
            _ => throw new ArgumentException(
                $"Training is a {training.GetType().Name}, but {network} is trained with {typeof(T).Name}.", nameof(training)),
        };

    /// <summary>A column name that may be null, but not blank.</summary>
    public static void ColumnName(string option, string? value)
    {
        if (value is not null && string.IsNullOrWhiteSpace(value))
            throw new ArgumentException($"{option} must be the name of a column or null; it is blank.", option);
    }
}
