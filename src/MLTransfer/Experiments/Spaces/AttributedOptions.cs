using System.Globalization;
using System.Reflection;

namespace MLTransfer.Experiments.Spaces;

/// <summary>The options that attributes of a class describe.</summary>
internal static class AttributedOptions
{
    /// <param name="type">The class.</param>
    /// <param name="defaults">An object of it with defaults; null for none.</param>
    public static KeyValuePair<string, OptionBase>[] Of(Type type, object? defaults) =>
    [
        .. ParameterBinding.Members(type)
            .Select(member => (member.Name, Option: Of(type, member, defaults is null ? null : ParameterBinding.Get(member, defaults))))
            .Where(entry => entry.Option is not null)
            .Select(entry => KeyValuePair.Create(entry.Name, entry.Option!)),
    ];

    private static OptionBase? Of(Type owner, MemberInfo member, object? value)
    {
        try
        {
            var option = Read(member, value);
            foreach (var condition in member.GetCustomAttributes<WhenAttribute>())
            {
                (option ?? throw new ArgumentException($"a {nameof(WhenAttribute)} needs an option beside it"))
                    .When(condition.Option, [.. condition.Values]);
            }

            return option;
        }
        catch (ArgumentException exception)
        {
            throw new ArgumentException($"{owner.Name}.{member.Name}: {exception.Message}", exception);
        }
    }

    private static OptionBase? Read(MemberInfo member, object? value)
    {
        var type = ParameterBinding.TypeOf(member);
        type = Nullable.GetUnderlyingType(type) ?? type;
        OptionBase?[] described =
        [
            member.GetCustomAttribute<RangeAttribute>() is { } range ? Range(type, range, value) : null,
            member.GetCustomAttribute<ChoiceAttribute>() is { } choice ? Choice(type, choice, value) : null,
            member.GetCustomAttribute<BooleanChoiceAttribute>() is not { } flag ? null
                : type != typeof(bool) ? throw new ArgumentException($"a truth value is no {type.Name}.")
                : new ChoiceOption([true, false], value ?? flag.DefaultValue),
            member.IsDefined(typeof(NestOptionAttribute)) ? new SearchSpace(Of(type, value)) : null,
        ];
        var options = described.OfType<OptionBase>().ToList();
        return options.Count <= 1 ? options.FirstOrDefault()
            : throw new ArgumentException("it has several attributes that say what its values are.");
    }

    private static UniformNumericOption Range(Type type, RangeAttribute range, object? value)
    {
        var init = value is null ? range.Init : Convert.ToDouble(value, CultureInfo.InvariantCulture);
        return Type.GetTypeCode(type) switch
        {
            TypeCode.Double => new UniformDoubleOption(range.Min, range.Max, range.LogBase, init, range.StepSize),
            TypeCode.Single when range.StepSize == 0 =>
                new UniformSingleOption((float)range.Min, (float)range.Max, range.LogBase, (float?)init),
            >= TypeCode.SByte and <= TypeCode.UInt64 => new UniformIntOption(
                Whole(range.Min), Whole(range.Max), range.LogBase, init is { } whole ? Whole(whole) : null, Whole(range.StepSize)),
            _ => throw new ArgumentException($"a range cannot give a {type.Name}."),
        };
    }

    private static int Whole(double value) => value == Math.Floor(value) && Math.Abs(value) <= int.MaxValue
        ? (int)value : throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{value} is no whole number."));

    private static ChoiceOption Choice(Type type, ChoiceAttribute choice, object? value)
    {
        object[] candidates = choice.Candidates.Count > 0 ? [.. choice.Candidates]
            : type.IsEnum ? [.. Enum.GetValues(type).Cast<object>()]
            : type == typeof(bool) ? [true, false]
            : throw new ArgumentException($"there are no candidates for a {type.Name}.");
        foreach (var candidate in candidates)
        {
            try
            {
                ParameterBinding.Convert(Parameter.FromObject(candidate), type);
            }
            catch (InvalidCastException exception)
            {
                throw new ArgumentException($"the candidate {candidate} does not fit: {exception.Message}", exception);
            }
        }

        return new ChoiceOption(candidates, value ?? choice.DefaultValue);
    }
}
