using System.Globalization;
using System.Numerics;
using MLTransfer.Columns;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Audio.Generators;

/// <summary>Reads a column of speakers or of seeds as texts: names, or whole numbers.</summary>
internal static class SpeakerReader
{
    /// <summary>Reads the source's current row.</summary>
    /// <exception cref="ArgumentException">What it calls throws this where the value is missing, or no whole number.</exception>
    public static Func<string> Create(DataViewRow source, DataViewSchema.Column column)
    {
        if (column.Type is TextDataViewType)
        {
            var getter = source.GetGetter<ReadOnlyMemory<char>>(column);
            return () =>
            {
                ReadOnlyMemory<char> value = default;
                getter(ref value);
                return value.IsEmpty ? throw Missing() : value.ToString();
            };
        }

        var read = (Func<string>)typeof(SpeakerReader).GetMethod(nameof(Numbers), System.Reflection.BindingFlags.NonPublic
            | System.Reflection.BindingFlags.Static)!.MakeGenericMethod(column.Type.RawType).Invoke(null, [source, column])!;
        if (column.Type is not KeyDataViewType)
            return read;
        var names = KeyNames.Of(column);
        return () =>
        {
            var key = long.Parse(read(), CultureInfo.InvariantCulture);
            return key == 0 ? throw Missing()
                : names?.Values[(int)key - 1] ?? (key - 1).ToString(CultureInfo.InvariantCulture);
        };
    }

    private static ArgumentException Missing() => new("There is no speaker. Name one, or leave the row out.");

    private static Func<string> Numbers<T>(DataViewRow source, DataViewSchema.Column column)
        where T : struct, INumber<T>
    {
        var getter = source.GetGetter<T>(column);
        return () =>
        {
            T value = default;
            getter(ref value);
            return T.IsInteger(value) && T.CreateSaturating(long.CreateSaturating(value)) == value
                ? long.CreateSaturating(value).ToString(CultureInfo.InvariantCulture)
                : throw new ArgumentException($"The value is {value}; expected a whole number of at most 64 bits.");
        };
    }
}
