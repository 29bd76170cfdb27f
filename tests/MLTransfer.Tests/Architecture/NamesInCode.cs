using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace MLTransfer.Tests.Architecture;

/// <summary>A name with dots.</summary>
/// <param name="Parts">Without type arguments.</param>
/// <param name="Text">How it is written, for messages.</param>
internal sealed record NameInCode(ImmutableArray<string> Parts, string Text)
{
    /// <summary>Whether it stands in a <c>using</c> directive, and may be a namespace.</summary>
    public bool IsDirective { get; init; }

    /// <summary>Whether it starts at the global namespace.</summary>
    public bool IsFull { get; init; }

    /// <summary>Whether it is what is called on some value, and therefore may be an extension method.</summary>
    public bool IsExtensionMethod { get; init; }
}

/// <summary>The names in a file that may mean types or namespaces.</summary>
internal static class NamesInCode
{
    public static IEnumerable<NameInCode> Of(SourceFile file) =>
        file.Root.DescendantNodes().OfType<SimpleNameSyntax>().Select(Read).OfType<NameInCode>();

    private static NameInCode? Read(SimpleNameSyntax name)
    {
        switch (name.Parent)
        {
            case MemberAccessExpressionSyntax access when access.Name == name:
                return access.Parent is InvocationExpressionSyntax ? Method(name) : null;
            case MemberBindingExpressionSyntax binding:
                return binding.Parent is InvocationExpressionSyntax ? Method(name) : null;
            case QualifiedNameSyntax qualified when qualified.Right == name:
            case AliasQualifiedNameSyntax alias when alias.Alias == name:
            case NameEqualsSyntax or NameColonSyntax:
                return null;
        }

        SyntaxNode whole = name.Parent is AliasQualifiedNameSyntax ? name.Parent : name;
        var isFull = whole is AliasQualifiedNameSyntax { Alias.Identifier.ValueText: "global" };
        var parts = ImmutableArray.CreateBuilder<string>();
        parts.Add(name.Identifier.ValueText);
        for (; ; whole = whole.Parent)
        {
            if (whole.Parent is QualifiedNameSyntax qualified && qualified.Left == whole)
                parts.Add(qualified.Right.Identifier.ValueText);
            else if (whole.Parent is MemberAccessExpressionSyntax access && access.Expression == whole)
                parts.Add(access.Name.Identifier.ValueText);
            else
                break;
        }

        var directive = whole.FirstAncestorOrSelf<UsingDirectiveSyntax>();
        return new(parts.ToImmutable(), directive is null ? string.Join('.', parts) : directive.ToString())
        {
            IsDirective = directive is not null,
            IsFull = isFull || directive is not null, // directives stand outside of the namespace
        };
    }

    private static NameInCode Method(SimpleNameSyntax name) =>
        new([name.Identifier.ValueText], "." + name.Identifier.ValueText) { IsExtensionMethod = true };
}
