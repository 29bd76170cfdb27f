using System.Numerics;

namespace MLTransfer.Torch.ChatTemplates.Values;

/// <summary>Python's <c>==</c> and hashes.</summary>
internal static class Equality
{
    public static bool AreEqual(object? left, object? right)
    {
        if (Numbers.Is(left) && Numbers.Is(right))
            return Numbers.Compare(left, right) == 0;
        if (Texts.TryGet(left) is { } text)
            return text == Texts.TryGet(right);
        switch (left, right)
        {
            case (null, null) or (Undefined, Undefined):
                return true;
            case (ListValue, ListValue) or (TupleValue, TupleValue) or (RangeValue, RangeValue):
                return SequencesEqual((SequenceValue)left, (SequenceValue)right);
            case (DictionaryValue first, DictionaryValue second):
                NestingGuard.Check();
                return first.Count == second.Count
                    && first.Items.All(item => second.TryGet(item.Key, out var value) && AreEqual(item.Value, value));
            default:
                return ReferenceEquals(left, right);
        }
    }

    public static int Hash(object? value)
    {
        switch (value)
        {
            case null or Undefined:
                return 0;
            case bool or BigInteger or double:
                return Numbers.ToDouble(value).GetHashCode();
            case string or SafeText:
                return Texts.TryGet(value)!.GetHashCode(StringComparison.Ordinal);
            case TupleValue tuple:
                NestingGuard.Check();
                return tuple.Items.Aggregate(17, (hash, item) => HashCode.Combine(hash, Hash(item)));
            case ListValue or DictionaryValue or DictionaryView:
                throw new ChatTemplateException($"a value of type '{TypeName.Of(value)}' cannot be a key");
            default:
                return value.GetHashCode();
        }
    }

    private static bool SequencesEqual(SequenceValue left, SequenceValue right)
    {
        NestingGuard.Check();
        return left.Items.Count == right.Items.Count && left.Items.Zip(right.Items).All(pair => AreEqual(pair.First, pair.Second));
    }
}
