using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Columns;

/// <summary>What the values of a key column stand for (<c>KeyValues</c>), in a form that a model file keeps.</summary>
/// <param name="Type">The type of the values, such as <c>String</c> or <c>Single</c>.</param>
/// <param name="Values">The values as texts, in the order of the key.</param>
internal sealed record KeyNames(string Type, IReadOnlyList<string> Values)
{
    private static readonly Dictionary<string, Kind> s_kinds = new()
    {
        ["String"] = new TextKind(),
        ["Boolean"] = new ParsedKind<bool>(BooleanDataViewType.Instance),
        ["Single"] = new ParsedKind<float>(NumberDataViewType.Single),
        ["Double"] = new ParsedKind<double>(NumberDataViewType.Double),
        ["SByte"] = new ParsedKind<sbyte>(NumberDataViewType.SByte),
        ["Byte"] = new ParsedKind<byte>(NumberDataViewType.Byte),
        ["Int16"] = new ParsedKind<short>(NumberDataViewType.Int16),
        ["UInt16"] = new ParsedKind<ushort>(NumberDataViewType.UInt16),
        ["Int32"] = new ParsedKind<int>(NumberDataViewType.Int32),
        ["UInt32"] = new ParsedKind<uint>(NumberDataViewType.UInt32),
        ["Int64"] = new ParsedKind<long>(NumberDataViewType.Int64),
        ["UInt64"] = new ParsedKind<ulong>(NumberDataViewType.UInt64),
        ["DateTime"] = new ParsedKind<DateTime>(DateTimeDataViewType.Instance),
        ["DateTimeOffset"] = new ParsedKind<DateTimeOffset>(DateTimeOffsetDataViewType.Instance),
        ["TimeSpan"] = new ParsedKind<TimeSpan>(TimeSpanDataViewType.Instance),
    };

    /// <summary>What a key column's values stand for; null where it does not say, or in a type that no key has.</summary>
    public static KeyNames? Of(DataViewSchema.Column column)
    {
        var annotation = column.Annotations.Schema.GetColumnOrNull(AnnotationUtils.Kinds.KeyValues);
        if (annotation?.Type is not VectorDataViewType { IsKnownSize: true } type)
            return null;
        var (name, kind) = s_kinds.FirstOrDefault(entry => entry.Value.ItemType.Equals(type.ItemType));
        return name is null ? null : new KeyNames(name, kind.Read(column));
    }

    /// <summary>The same as far as a schema's shape tells: the type, with one value that stands for those which it does not tell.</summary>
    public static KeyNames? Of(SchemaShape.Column column)
    {
        if (!column.Annotations.TryFindColumn(AnnotationUtils.Kinds.KeyValues, out var values))
            return null;
        var (name, kind) = s_kinds.FirstOrDefault(entry => entry.Value.ItemType.Equals(values.ItemType));
        return name is null ? null : new KeyNames(name, [kind.AnyValue]);
    }

    /// <summary>For the key column.</summary>
    public DataViewSchema.Annotations ToKeyValues() => s_kinds[Type].ToKeyValues(Values);

    /// <summary>For a vector with an element for each value.</summary>
    public DataViewSchema.Annotations ToSlotNames() => Texts(AnnotationUtils.Kinds.SlotNames, Values);

    /// <exception cref="ArgumentException">The type is not known, or a value is none of it.</exception>
    public void Check()
    {
        if (Type is null || Values is null || Values.Contains(null!) || !s_kinds.TryGetValue(Type, out var kind))
            throw new ArgumentException($"its key values are of the type '{Type}'");
        try
        {
            kind.Check(Values);
        }
        catch (Exception exception) when (exception is FormatException or OverflowException)
        {
            throw new ArgumentException($"its key values are not of the type '{Type}'", exception);
        }
    }

    private static DataViewSchema.Annotations Texts(string kind, IReadOnlyList<string> values) =>
        Vector(kind, TextDataViewType.Instance, [.. values.Select(value => value.AsMemory())]);

    private static DataViewSchema.Annotations Vector<T>(string kind, PrimitiveDataViewType type, T[] values)
    {
        var builder = new DataViewSchema.Annotations.Builder();
        builder.Add(
            kind, new VectorDataViewType(type, values.Length),
            (ValueGetter<VBuffer<T>>)((ref VBuffer<T> value) => value = new VBuffer<T>(values.Length, values)));
        return builder.ToAnnotations();
    }

    private abstract class Kind(PrimitiveDataViewType itemType)
    {
        public PrimitiveDataViewType ItemType => itemType;

        public abstract string AnyValue { get; }

        public abstract string[] Read(DataViewSchema.Column column);

        public abstract void Check(IReadOnlyList<string> values);

        public abstract DataViewSchema.Annotations ToKeyValues(IReadOnlyList<string> values);

        protected static T[] ReadValues<T>(DataViewSchema.Column column)
        {
            VBuffer<T> values = default;
            column.Annotations.GetValue(AnnotationUtils.Kinds.KeyValues, ref values);
            return [.. values.DenseValues()];
        }
    }

    private sealed class TextKind() : Kind(TextDataViewType.Instance)
    {
        public override string AnyValue => "";

        public override string[] Read(DataViewSchema.Column column) =>
            [.. ReadValues<ReadOnlyMemory<char>>(column).Select(value => value.ToString())];

        public override void Check(IReadOnlyList<string> values)
        {
            // Every text is one.
        }

        public override DataViewSchema.Annotations ToKeyValues(IReadOnlyList<string> values) =>
            Texts(AnnotationUtils.Kinds.KeyValues, values);
    }

    private sealed class ParsedKind<T>(PrimitiveDataViewType itemType) : Kind(itemType)
        where T : struct, IParsable<T>
    {
        public override string AnyValue => Format(default);

        public override string[] Read(DataViewSchema.Column column) => [.. ReadValues<T>(column).Select(Format)];

        public override void Check(IReadOnlyList<string> values) => Parse(values);

        public override DataViewSchema.Annotations ToKeyValues(IReadOnlyList<string> values) =>
            Vector(AnnotationUtils.Kinds.KeyValues, ItemType, Parse(values));

        private static T[] Parse(IReadOnlyList<string> values) =>
            [.. values.Select(value => typeof(T) == typeof(DateTime)
                ? (T)(object)DateTime.Parse(value, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind)
                : T.Parse(value, CultureInfo.InvariantCulture))];

        private static string Format(T value) => value is IFormattable formattable
            ? formattable.ToString(value is DateTime or DateTimeOffset ? "O" : null, CultureInfo.InvariantCulture)
            : value.ToString()!;
    }
}
