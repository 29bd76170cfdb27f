using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MLTransfer.Experiments.Spaces;

/// <summary>Parameters as values of types, and as objects whose members they set.</summary>
internal static class ParameterBinding
{
    /// <summary>For values that are no parameters of their own, such as lists.</summary>
    public static JsonSerializerOptions Json { get; } = new() { IncludeFields = true, Converters = { new JsonStringEnumConverter() } };

    /// <exception cref="InvalidCastException">It is something else.</exception>
    public static object? Convert(Parameter parameter, Type type)
    {
        var target = Nullable.GetUnderlyingType(type) ?? type;
        try
        {
            return (parameter.Value, target) switch
            {
                _ when target == typeof(Parameter) => parameter,
                (string name, { IsEnum: true }) => Enum.Parse(target, name),
                (long number, { IsEnum: true }) => Enum.ToObject(target, number),
                (long or double or bool, { IsPrimitive: true }) or (string, _) when target == typeof(string) || target.IsPrimitive =>
                    ConvertPlain(parameter.Value, target),
                (_, { IsClass: true }) when parameter.ParameterType == ParameterType.Object => Bind(parameter, Create(target)),
                _ => JsonSerializer.Deserialize(parameter.ToJson(), target, Json),
            };
        }
        catch (Exception exception) when (exception is FormatException or OverflowException or JsonException or ArgumentException
            or NotSupportedException)
        {
            throw new InvalidCastException($"The parameter {parameter} is no {target.Name}: {exception.Message}", exception);
        }
    }

    /// <summary>Sets members of the parameter's names.</summary>
    /// <returns>The same object.</returns>
    public static object Bind(Parameter parameter, object target)
    {
        foreach (var (name, value) in parameter)
        {
            var member = Members(target.GetType()).FirstOrDefault(member => member.Name == name)
                ?? throw new InvalidCastException($"{target.GetType().Name} has no public property or field '{name}'.");
            var type = TypeOf(member);
            var held = value.ParameterType == ParameterType.Object ? Get(member, target) : null;
            Set(member, target, held is null ? Convert(value, type) : Bind(value, Copy(held)));
        }

        return target;
    }

    /// <summary>An object with the same members.</summary>
    public static object Copy(object value)
    {
        var copy = Create(value.GetType());
        foreach (var member in Members(value.GetType()))
            Set(member, copy, Get(member, value));
        return copy;
    }

    /// <summary>Public properties that can be set, and public fields.</summary>
    public static IEnumerable<MemberInfo> Members(Type type) => type
        .GetMembers(BindingFlags.Public | BindingFlags.Instance)
        .Where(member => member is FieldInfo { IsInitOnly: false }
            or PropertyInfo { CanRead: true, SetMethod.IsPublic: true } and PropertyInfo { GetMethod.IsPublic: true });

    public static Type TypeOf(MemberInfo member) => member is FieldInfo field ? field.FieldType : ((PropertyInfo)member).PropertyType;

    public static object? Get(MemberInfo member, object target) =>
        member is FieldInfo field ? field.GetValue(target) : ((PropertyInfo)member).GetValue(target);

    private static void Set(MemberInfo member, object target, object? value)
    {
        if (member is FieldInfo field)
            field.SetValue(target, value);
        else
            ((PropertyInfo)member).SetValue(target, value);
    }

    private static object Create(Type type) => Activator.CreateInstance(type)
        ?? throw new InvalidCastException($"{type.Name} has no parameterless constructor.");

    private static object ConvertPlain(object value, Type target) => value is double number && target.IsPrimitive && IsWhole(target)
        && number != Math.Floor(number)
            ? throw new FormatException($"{number} is no whole number.")
            : System.Convert.ChangeType(value, target, CultureInfo.InvariantCulture);

    private static bool IsWhole(Type type) => Type.GetTypeCode(type) is >= TypeCode.SByte and <= TypeCode.UInt64;
}
