using System.Numerics;
using Microsoft.ML;

namespace MLTransfer.Columns;

/// <summary>Reads a column of numbers of any type, or of true and false, as 64-bit numbers.</summary>
internal static class NumberColumn
{
    /// <summary>Gives the number of the source's current row.</summary>
    public static Func<double> Getter(DataViewRow row, DataViewSchema.Column column)
    {
        var type = column.Type.RawType;
        return type == typeof(float) ? Of<float>() : type == typeof(double) ? Of<double>()
            : type == typeof(byte) ? Of<byte>() : type == typeof(sbyte) ? Of<sbyte>()
            : type == typeof(short) ? Of<short>() : type == typeof(ushort) ? Of<ushort>()
            : type == typeof(int) ? Of<int>() : type == typeof(uint) ? Of<uint>()
            : type == typeof(long) ? Of<long>() : type == typeof(ulong) ? Of<ulong>() : Converted<bool>(value => value ? 1 : 0);

        Func<double> Of<T>()
            where T : INumberBase<T> => Converted<T>(double.CreateChecked);

        Func<double> Converted<T>(Func<T, double> convert)
        {
            var getter = row.GetGetter<T>(column);
            return () =>
            {
                T value = default!;
                getter(ref value);
                return convert(value);
            };
        }
    }
}
